"""kill -9 of a worker at every point of an image's life: another one goes on, and nothing is lost
and nothing is made twice.

The successor would take up what the dead one held after its lease, a message's time-out or a check
that is overdue: the tests shift these times in the rows instead of waiting for them.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from models.tables import Status
from tests.darkroom import Darkroom, darkroom
from tests.failpoints import GIVING_BACK, POINTS
from tests.service import BOTH, Process, wait_until
from tests.stand_in import StandIn

IMAGES = 3


@pytest.fixture
def sqlite_room(
    sqlite_database: str, redis_url: str, stand_in: StandIn, tmp_path: Path
) -> Iterator[Darkroom]:
    with darkroom(sqlite_database, redis_url, stand_in, tmp_path) as built:
        yield built


def wait_killed(process: Process) -> None:
    wait_until(lambda: process.ended, f"{process.name} is dead")
    assert process.popen.returncode == -9


def go_on(room: Darkroom, images: int = IMAGES) -> None:
    """A successor finishes everything, and every image has exactly one prediction."""
    room.let_a_minute_pass()
    room.service.worker(BOTH)
    room.wait_done(images)
    assert len(room.stand_in.creates()) == images
    room.check_settled()


@pytest.mark.parametrize("point", POINTS)
def test_a_worker_killed_at_a_point_loses_nothing(room: Darkroom, point: str) -> None:
    doomed = room.service.worker(BOTH, failpoint=point)
    room.submit(room.shop("alice"), IMAGES)

    wait_killed(doomed)

    assert room.count(Status.DONE) < IMAGES
    go_on(room)


@pytest.mark.parametrize(
    "point",
    [
        pytest.param(point, marks=[] if point == "stored" else [pytest.mark.soak])
        for point in POINTS
    ],
)
def test_a_worker_killed_on_sqlite_loses_nothing(sqlite_room: Darkroom, point: str) -> None:
    doomed = sqlite_room.service.worker(BOTH, failpoint=point)
    sqlite_room.submit(sqlite_room.shop("alice"), IMAGES)

    wait_killed(doomed)

    go_on(sqlite_room)


def test_a_worker_killed_before_the_answer_to_its_create_loses_nothing(room: Darkroom) -> None:
    room.stand_in.knobs(create_latency=4.0)
    doomed = room.service.worker(BOTH)
    room.submit(room.shop("alice"), IMAGES)
    wait_until(room.stand_in.creates, "a create was accepted")

    doomed.kill()

    room.stand_in.knobs(create_latency=0.0)
    go_on(room)


def test_a_worker_killed_while_it_downloads_loses_nothing(room: Darkroom) -> None:
    drip = {"endpoint": "output", "phase": "after", "kind": "drip", "seconds": 20, "times": IMAGES}
    room.stand_in.knobs(faults=[drip])
    doomed = room.service.worker(BOTH)
    room.submit(room.shop("alice"), IMAGES)
    wait_until(lambda: downloads(room.stand_in), "a download has begun")

    doomed.kill()

    room.stand_in.knobs(faults=[])
    go_on(room)


def test_a_worker_killed_while_it_gives_messages_back_holds_nobody_up(room: Darkroom) -> None:
    doomed = room.service.worker(BOTH, failpoint="claimed")
    room.submit(room.shop("alice"), IMAGES)
    wait_killed(doomed)
    room.return_messages()

    wait_killed(room.service.begin(BOTH, failpoint=GIVING_BACK))

    go_on(room)


def downloads(stand_in: StandIn) -> list[str]:
    paths = [request["path"] for request in stand_in.requests()]
    return [path for path in paths if path.startswith("/output/")]


@pytest.mark.soak
@pytest.mark.parametrize("point", POINTS)
def test_time_alone_brings_back_what_a_killed_worker_held(room: Darkroom, point: str) -> None:
    """The same without shifting time, with a deadline that passes within the test."""
    room.service.environment["PREDICTION_DEADLINE"] = "5s"
    doomed = room.service.worker(BOTH, failpoint=point)
    room.submit(room.shop("alice"), IMAGES)

    wait_killed(doomed)

    room.service.worker(BOTH)
    room.wait_done(IMAGES, patience=150)
    assert len(room.stand_in.creates()) == IMAGES
    room.check_settled()
