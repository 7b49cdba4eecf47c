"""Messages to workers: one per image, in one write, and never at the cost of the sender."""

import json
import os
import signal
import time
from typing import Any

import redis

from tasks.celery import app
from tasks.queues import Depth, depths
from tasks.wake import Waker, enough
from tests.valkey import Valkey

# The promise is half a second; the rest is for a busy machine.
BOUND = 1.5


def test_one_message_per_image(redis_url: str) -> None:
    waker = Waker(redis_url)

    waker.wake_workers(job_id=12, images=10)

    with redis.Redis.from_url(redis_url) as client:
        found = depths(client)
        message = client.lindex("replicate", 0)
    assert found == {"replicate": Depth(10, 0), "housekeeping": Depth(0, 0)}
    assert b"woken by job 12" in bytes(str(message), "utf-8")


def test_messages_are_those_of_celery_and_alike_but_for_their_ids(redis_url: str) -> None:
    waker = Waker(redis_url)
    waker.wake_workers(job_id=12, images=3)
    with app.connection_for_write(url=redis_url) as connection:
        app.send_task("optimize-next-image", connection=connection, kwargsrepr="woken by job 12")

    with redis.Redis.from_url(redis_url) as client:
        celerys, *ours = [json.loads(each) for each in client.lrange("replicate", 0, -1)]

    ids = [ids_of(message) for message in ours]
    assert len({each for of_one in ids for each in of_one}) == 2 * 3
    for message in (celerys, *ours):
        ids_of(message, instead="an id")
    assert ours == [celerys] * 3


def ids_of(message: dict[str, Any], instead: str = "") -> list[str]:
    """The ids in a message, which are all that differs; `instead` replaces them."""
    headers, properties = message["headers"], message["properties"]
    ids = [headers["id"], properties["delivery_tag"]]
    assert headers["root_id"] == properties["correlation_id"] == headers["id"]
    if instead:
        headers |= {"id": instead, "root_id": instead}
        properties |= {"correlation_id": instead, "delivery_tag": instead}
    return ids


def test_a_batch_sends_few_messages_and_has_a_housekeeper_look(redis_url: str) -> None:
    waker = Waker(redis_url)

    waker.wake_for_batch(batch_id=3, images=1000)

    with redis.Redis.from_url(redis_url) as client:
        assert depths(client) == {"replicate": Depth(500, 0), "housekeeping": Depth(1, 0)}


def test_a_high_limit_gets_messages_for_two_sweeps_and_no_limit_gets_endless_ones() -> None:
    assert [enough(rate, 30.0) for rate in (5 / 30, 12.0, 48.0, 5000.0)] == [500, 720, 2880, 10_000]


def test_messages_survive_a_broker_that_lost_its_memory(redis_url: str) -> None:
    waker = Waker(redis_url)
    with redis.Redis.from_url(redis_url) as client:
        waker.wake_workers(1, 1)
        client.flushall()

        waker.wake_workers(2, 3)

        assert depths(client)["replicate"].ready == 3


def test_a_broker_that_is_down_delays_nobody() -> None:
    waker = Waker("redis://127.0.0.1:1/0")

    started = time.monotonic()
    waker.wake_workers(1, 10)

    assert time.monotonic() - started < BOUND


def test_a_broker_that_hangs_delays_nobody(valkey_server: Valkey, redis_url: str) -> None:
    connected, fresh = Waker(redis_url), Waker(redis_url)
    connected.wake_workers(1, 1)
    assert valkey_server.process
    os.kill(valkey_server.process.pid, signal.SIGSTOP)
    try:
        for waker in (connected, fresh, connected):
            started = time.monotonic()
            waker.wake_workers(2, 10)
            assert time.monotonic() - started < BOUND
    finally:
        os.kill(valkey_server.process.pid, signal.SIGCONT)


def test_a_broker_that_came_back_is_used_again(redis_url: str, valkey_server: Valkey) -> None:
    waker = Waker(redis_url)
    waker.wake_workers(1, 1)
    valkey_server.kill()
    waker.wake_workers(2, 1)
    valkey_server.start()

    waker.wake_workers(3, 2)

    with redis.Redis.from_url(redis_url) as client:
        assert depths(client)["replicate"].ready == 2
