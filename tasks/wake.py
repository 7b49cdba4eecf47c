"""Sending messages: they wake workers, and the database holds what there is to do.

So a message may get lost: sending is bounded to half a second and tried once, and a broker that is
down is a line in the log. The sweep sends again what is missing.
"""

from math import ceil
from typing import Any

import redis
import structlog
from kombu.exceptions import KombuError
from kombu.pools import ProducerPool
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from tasks import alike
from tasks.celery import app

log = structlog.get_logger(__name__)

# A new connection costs at most a connect and a greeting, and then the messages go in one write:
# three waits of this length stay below the half second that a POST may lose.
SOCKET_TIMEOUT = 0.15
POOL_TIMEOUT = 0.1
POOL_SIZE = 50
# A message with a countdown is held unacknowledged by a worker: it must be shorter than the
# `visibility_timeout` (celeryconfig.py), or Redis would hand it out again and again.
LONGEST_COUNTDOWN = 30.0
TASK = "optimize-next-image"
# So many messages go in one write, and at the most for a batch: more would mostly wait in the queue
# for nothing.
MOST_AT_ONCE = 500
# What the queue is filled up to at the most, where the limit is so high that it uses that much.
MOST_IN_QUEUE = 10_000


def enough(rate: float, interval: float) -> int:
    """How many messages the queue should hold, at the most, when it is looked at every `interval`
    seconds: what a limit of `rate` images a second uses until the look after the next one."""
    return min(max(MOST_AT_ONCE, ceil(2 * rate * interval)), MOST_IN_QUEUE)


class Waker:
    """Sends this process's messages; thread-safe, connects when it first sends."""

    def __init__(self, redis_url: str) -> None:
        connection = app.connection_for_write(
            url=redis_url,
            transport_options={
                **app.conf.broker_transport_options,
                "socket_timeout": SOCKET_TIMEOUT,
                "socket_connect_timeout": SOCKET_TIMEOUT,
                "max_retries": 0,
            },
        )
        self._producers = ProducerPool(connection.Pool(POOL_SIZE), limit=POOL_SIZE)
        self._redis = redis.Redis.from_url(
            redis_url,
            socket_timeout=SOCKET_TIMEOUT,
            socket_connect_timeout=SOCKET_TIMEOUT,
            retry=Retry(NoBackoff(), 0),
        )

    def wake_workers(self, job_id: int, images: int) -> None:
        """Say that `images` more images are due, because of a new job."""
        self.top_up(images, f"woken by job {job_id}")

    def wake_for_batch(self, batch_id: int, images: int) -> None:
        """Say so for a batch; for more than a few, a housekeeper sees how many messages the limit
        needs, and the sweep fills up what was used."""
        self.top_up(min(images, MOST_AT_ONCE), f"woken by batch {batch_id}")
        if images > MOST_AT_ONCE:
            self.announce()

    def top_up(self, images: int, why: str) -> None:
        """Say that so many images are due, in few writes."""
        try:
            for sent in range(0, images, MOST_AT_ONCE):
                alike.publish(self._redis, TASK, min(images - sent, MOST_AT_ONCE), why)
        except RedisError as error:
            log.warning("message not sent", task=TASK, times=images, error=str(error))

    def follow(self, attempt_id: int, check: int, seconds: float = 0.0) -> bool:
        """Have an attempt's prediction asked about for the `check`-th time, in `seconds`. False
        when the sweep has to do it: that is long, or the broker did not take the message."""
        if seconds > LONGEST_COUNTDOWN:
            return False
        shown = f"attempt {attempt_id}, check {check}"
        return self._send(
            "collect-prediction", args=(attempt_id, check), argsrepr=shown, countdown=seconds
        )

    def heed(self, reference: str, prediction_id: str) -> bool:
        """Hand a webhook over; False when the broker did not take it. Flower shows no reference."""
        return self._send(
            "heed-webhook", args=(reference, prediction_id), argsrepr=f"({prediction_id!r},)"
        )

    def announce(self, seconds: float = 0.0) -> None:
        """Have the queue filled up with what is due in `seconds`; the sweep does it later too."""
        if seconds <= LONGEST_COUNTDOWN:
            self._send("announce-due-items", countdown=seconds)

    def deliver(self, seconds: float = 0.0) -> None:
        """Have the webhooks that are due sent in `seconds`; the sweep does it later too."""
        if seconds <= LONGEST_COUNTDOWN:
            self._send("deliver-webhooks", countdown=seconds)

    def sweep(self) -> None:
        """Ask for a sweep; one that was made just now is enough."""
        self._send("sweep", expires=LONGEST_COUNTDOWN)

    def _send(self, task: str, **message: Any) -> bool:
        """Publish one message; False when the broker did not take it."""
        try:
            with self._producers.acquire(block=True, timeout=POOL_TIMEOUT) as producer:
                app.send_task(task, producer=producer, retry=False, **message)
        except (KombuError, OSError) as error:
            log.warning("message not sent", task=task, error=str(error))
            return False
        return True
