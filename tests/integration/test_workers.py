"""Real workers against the stand-in: images go through, and whoever is stopped loses nothing."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from models import reports
from models.tables import Status
from tasks.queues import depths
from tests.darkroom import Darkroom, darkroom
from tests.service import wait_until
from tests.stand_in import StandIn
from tests.valkey import Valkey


@pytest.fixture
def either_room(
    database_url: str, redis_url: str, stand_in: StandIn, tmp_path: Path
) -> Iterator[Darkroom]:
    """A Darkroom on SQLite, and then one on PostgreSQL."""
    with darkroom(database_url, redis_url, stand_in, tmp_path) as built:
        yield built
        built.check()


def test_a_job_goes_in_and_comes_out_optimized(either_room: Darkroom, tmp_path: Path) -> None:
    room = either_room
    room.service.start()
    alice = room.shop("alice")

    job_id = room.submit(alice, images=5)
    room.wait_done(5)

    job = room.job(alice, job_id)
    assert (job.status, job.completed_images, job.failed_images) == (Status.DONE, 5, 0)
    assert job.started_at
    assert job.finished_at
    assert job.created_at <= job.started_at <= job.finished_at
    with room.app.app_context():
        keys = [item.result_key for item in reports.items(job_id)]
    assert len(set(keys)) == 5
    for key in keys:
        with Image.open(tmp_path / "results" / str(key)) as picture:
            picture.load()
    assert len(room.stand_in.creates()) == 5
    assert all(
        not request["authorization"]
        for request in room.stand_in.requests()
        if request["path"].startswith("/output/")
    )


def test_a_broker_emptied_with_fifty_images_waiting_loses_none(room: Darkroom) -> None:
    room.submit_many(room.shop("alice"), 50)
    room.redis.flushall()
    assert room.messages() == 0

    room.service.start()

    room.wait_done(50)


def test_the_sweep_counts_unacked_messages_too(
    postgres_database: str, redis_url: str, stand_in: StandIn, tmp_path: Path
) -> None:
    slow = {"REPLICATE_RATE_LIMIT": "1/60s", "SWEEP_INTERVAL": "1s"}
    with darkroom(postgres_database, redis_url, stand_in, tmp_path, **slow) as room:
        _worker, housekeeper, _beat = room.service.start()
        room.submit_many(room.shop("alice"), 20)
        wait_until(lambda: room.count(Status.RUNNING) == 1, "the only slot is used")
        wait_until(lambda: depths(room.redis)["replicate"].unacked >= 10, "ten messages are held")

        swept = housekeeper.times_said("due, ")
        wait_until(lambda: housekeeper.times_said("due, ") >= swept + 3, "three sweeps more")

        assert 10 <= room.messages() <= 20


def test_a_stopped_worker_loses_nothing(room: Darkroom) -> None:
    room.stand_in.knobs(create_latency=1.0, process_latency=1.0)
    processes = room.service.start()
    room.submit_many(room.shop("alice"), 20)
    wait_until(lambda: room.count(Status.RUNNING) > 0, "something runs")

    assert [process.stop(patience=10) for process in processes] == [0, 0, 0]

    room.service.start()
    room.wait_done(20)
    assert len(room.stand_in.creates()) == 20


@pytest.mark.parametrize("restarts", [3, pytest.param(30, marks=pytest.mark.soak)])
def test_workers_outlive_their_broker(room: Darkroom, valkey_server: Valkey, restarts: int) -> None:
    processes = room.service.start()
    alice = room.shop("alice")

    for _ in range(restarts):
        valkey_server.kill()
        valkey_server.start()
        room.submit(alice, images=4)

    room.wait_done(4 * restarts, patience=60.0 + 4 * restarts)
    assert [process.popen.poll() for process in processes] == [None] * 3


def test_workers_stop_while_their_broker_is_down(room: Darkroom, valkey_server: Valkey) -> None:
    room.stand_in.knobs(create_latency=2.0)
    processes = room.service.start()
    room.submit_many(room.shop("alice"), 20)
    wait_until(lambda: room.count(Status.RUNNING) > 0, "something runs")

    valkey_server.kill()
    try:
        codes = [process.stop(patience=10) for process in processes]
    finally:
        valkey_server.start()

    # On its way out kombu gives messages back, and where it finds no broker for that it may end the
    # process with 1. Nothing is lost by it: the database holds the work. -9 would be a process that
    # did not stop.
    assert set(codes) <= {0, 1}


def test_a_429_costs_no_attempt_and_pauses_everyone(room: Darkroom) -> None:
    room.stand_in.knobs(throttle={"count": 4, "window": 3, "form": "body", "retry_after": 2})
    for _ in range(2):
        room.service.start()
    alice = room.shop("alice")

    job_id = room.submit(alice, images=10)
    room.wait_done(10)

    refused = [each for each in room.stand_in.requests() if each["status"] == 429]
    assert refused
    with room.app.app_context():
        assert [item.failed_attempts for item in reports.items(job_id)] == [0] * 10


@pytest.mark.parametrize("status", [401, 402])
def test_a_refused_account_fails_nobodys_image(room: Darkroom, status: int) -> None:
    room.stand_in.knobs(refuse=status)
    worker = room.service.worker()
    room.submit(room.shop("alice"), images=3)

    wait_until(lambda: worker.said("Replicate refuses the account"), "a loud line in the log")
    wait_until(lambda: room.count(Status.PENDING) == 3, "all three wait again")

    creates = [r for r in room.stand_in.requests() if r["path"].endswith("/predictions")]
    assert len(creates) <= 3
    assert worker.said('"critical"')


def test_a_failed_image_says_why_and_the_others_go_on(room: Darkroom) -> None:
    room.stand_in.knobs(
        outcomes=[{"status": "failed", "error": "The input was flagged as sensitive. (E005)"}]
    )
    room.service.start()
    alice = room.shop("alice")

    job_id = room.submit(alice, images=2)
    wait_until(lambda: room.job(alice, job_id).finished_at, "the job is finished")

    job = room.job(alice, job_id)
    assert (job.status, job.completed_images, job.failed_images) == (Status.DONE, 1, 1)
    with room.app.app_context():
        failed = [item for item in reports.items(job_id) if item.status == Status.FAILED]
    assert [item.error_code for item in failed] == ["content_flagged"]
    assert "E005" not in str(failed[0].error)


def test_an_answer_that_got_lost_is_found_in_the_list(room: Darkroom) -> None:
    room.stand_in.knobs(
        faults=[{"endpoint": "create", "phase": "after", "kind": "reset", "times": 2}]
    )
    shop = room.shop("alice")
    room.service.start()

    room.submit(shop, images=4)
    wait_until(lambda: len(room.stand_in.creates()) == 4, "four creates")
    room.expire_leases()
    room.wait_done(4)

    assert len(room.stand_in.creates()) == 4


def test_an_outage_of_replicate_fails_nobodys_image(room: Darkroom) -> None:
    room.stand_in.stop()
    try:
        worker = room.service.worker()
        room.submit(room.shop("alice"), images=3)

        wait_until(lambda: worker.said("unreachable"), "a pause")
        wait_until(lambda: room.count(Status.PENDING) == 3, "all three wait again")
    finally:
        room.stand_in.start()

    room.limiter().resume()
    room.service.start()
    room.wait_done(3)


@pytest.mark.lengthy
def test_a_worker_stops_within_ten_seconds_of_a_broker_that_hangs(
    room: Darkroom, valkey_server: Valkey
) -> None:
    worker = room.service.worker()
    room.submit_many(room.shop("alice"), 20)
    wait_until(lambda: room.count(Status.RUNNING) > 0, "something runs")
    assert valkey_server.process
    os.kill(valkey_server.process.pid, signal.SIGSTOP)
    try:
        worker.popen.terminate()
        worker.popen.wait(10)
    finally:
        os.kill(valkey_server.process.pid, signal.SIGCONT)

    room.service.start()
    room.wait_done(20)
