"""Real workers against the stand-in: images go through, and whoever is stopped loses nothing."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from models import reports
from models.tables import Status
from tests.darkroom import Darkroom, darkroom
from tests.service import wait_until
from tests.stand_in import StandIn


@pytest.fixture
def room(
    database_url: str, redis_url: str, stand_in: StandIn, tmp_path: Path
) -> Iterator[Darkroom]:
    with darkroom(database_url, redis_url, stand_in, tmp_path) as built:
        yield built
        built.check()


def test_a_job_goes_in_and_comes_out_optimized(room: Darkroom, tmp_path: Path) -> None:
    room.service.worker()
    room.service.worker("housekeeping")
    alice = room.shop("alice")

    job_id = room.submit(alice, images=5)
    room.wait_done(5)

    job = room.job(alice, job_id)
    assert (job.status, job.completed_images, job.failed_images) == (Status.DONE, 5, 0)
    assert job.created_at <= (job.started_at or job.created_at) <= (job.finished_at or 0)
    with room.app.app_context():
        keys = [item.result_key for item in reports.items(job_id)]
    assert len(set(keys)) == 5
    for key in keys:
        with Image.open(tmp_path / "results" / str(key)) as picture:
            picture.load()
    assert len(room.stand_in.creates()) == 5
    assert all(
        not request["authorized"]
        for request in room.stand_in.requests()
        if request["path"].startswith("/output/")
    )


def test_a_broker_emptied_with_fifty_images_waiting_loses_none(room: Darkroom) -> None:
    room.submit_many(room.shop("alice"), 50)
    room.redis.flushall()
    assert room.messages() == 0

    room.service.worker("housekeeping")
    room.service.worker()

    room.wait_done(50)


def test_the_sweep_counts_unacked_messages_too(room: Darkroom) -> None:
    room.stand_in.knobs(refuse=402)
    room.submit_many(room.shop("alice"), 20)
    room.service.worker(concurrency=5)
    room.service.worker("housekeeping")
    wait_until(lambda: room.count(Status.PENDING) == 20 and room.stand_in.requests(), "a refusal")

    wait_until(lambda: room.messages() <= 20, "as many messages as images, or fewer")
    assert room.count(Status.FAILED) == 0


def test_a_stopped_worker_loses_nothing(room: Darkroom) -> None:
    room.stand_in.knobs(canned_result=True, create_latency=1.0, process_latency=1.0)
    worker, housekeeper = room.service.worker(), room.service.worker("housekeeping")
    room.submit_many(room.shop("alice"), 20)
    wait_until(lambda: room.count(Status.RUNNING) > 0, "something runs")

    codes = [worker.stop(patience=10), housekeeper.stop(patience=10)]
    assert codes == [0, 0]

    room.service.worker()
    room.service.worker("housekeeping")
    room.wait_done(20)
    assert len(room.stand_in.creates()) == 20
