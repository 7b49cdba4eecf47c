"""What workers and housekeepers ask for: images to send and to settle, and the sweep."""

from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from benchmarks.growth.blocks import LARGE_SHOP
from benchmarks.growth.operation import Operation, Part
from benchmarks.growth.sides import Side
from models import lifecycle
from models.clock import from_now
from models.database import db
from models.tables import Attempt, AttemptStatus, Job, Upload
from tasks.retention import Broom, old
from tasks.sweep import sweep_once

DEADLINE = 600.0
DAY = 86_400.0
# Nothing of the history is so old.
LONG = 365 * DAY


def claim(side: Side, _given: object = None) -> int:
    """Claim an image; return the attempt."""
    with side.gear.database():
        turn = lifecycle.claim_next(DEADLINE)
    assert turn is not None
    return turn.attempt_id


def settle(side: Side, attempt: int) -> None:
    """Note the prediction of an attempt, and that it made an image."""
    with side.gear.database():
        assert lifecycle.note(attempt, f"prediction-{attempt}", LONG)
    with side.gear.database():
        assert lifecycle.finish(attempt, f"{attempt:032x}.jpg", "image/jpeg")


def disorder(side: Side) -> None:
    """Let there be something for a sweep beside what became final since the last one: two images
    that rested, five predictions that nobody asks about, three uploads that expired."""
    for attempt in [claim(side) for _ in range(2)]:
        with side.gear.database():
            lifecycle.requeue(attempt, "tested", after=0.001)
    followed = select(Attempt.id).where(Attempt.status == AttemptStatus.CREATED).limit(5)
    with side.gear.database(), db.engine.connect().execution_options(writes=True) as connection:
        overdue = update(Attempt).where(Attempt.id.in_(followed))
        connection.execute(overdue.values(next_check_at=from_now(-60.0)))
        gone = insert(Upload).values(expires_at=from_now(-DAY))
        connection.execute(gone, _pictures(connection))
        connection.commit()


def _pictures(connection: Connection) -> list[dict[str, Any]]:
    last = connection.scalar(select(func.max(Upload.id))) or 0
    facts = {"sha256": "", "content_type": "image/jpeg", "bytes": 1, "width": 1, "height": 1}
    return [facts | {"instance_id": LARGE_SHOP, "key": f"{last + n:032x}.jpg"} for n in range(3)]


def _sweep(side: Side, _given: None) -> str:
    report = sweep_once(side.gear)
    assert "failed" not in report, report
    return report


def _let_one_grow_old(side: Side) -> float:
    one = select(Job.id).where(Job.total_images == 1, Job.finished_at > from_now(-LONG))
    oldest = one.order_by(Job.finished_at).limit(1)
    with side.gear.database(), db.engine.connect().execution_options(writes=True) as connection:
        aged = update(Job).where(Job.id.in_(oldest))
        connection.execute(aged.values(finished_at=from_now(-LONG - DAY)))
        connection.commit()
    return LONG


def _let_nearly_all_be_old(_side: Side) -> float:
    return 2 * DAY


def _retain(side: Side, seconds: float) -> object:
    """The first page alone, of one job."""
    return next(old(Broom(side.gear.storage, side.gear.database, jobs=1), seconds))


WORKERS = (
    Operation("claim", Part.WORKERS, claim, after=settle),
    Operation("note and finish", Part.WORKERS, settle, before=claim),
    Operation("sweep", Part.UPKEEP, _sweep, before=disorder),
    Operation("retention: one old job", Part.UPKEEP, _retain, before=_let_one_grow_old),
    Operation("retention: nearly all old", Part.UPKEEP, _retain, before=_let_nearly_all_be_old),
)
