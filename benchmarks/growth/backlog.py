"""A sweep that finds far more of everything than it may take: how many rows its largest page has.

It leaves the database in a state that nobody should look at afterwards.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, event, select, text, update

from benchmarks.growth.sides import Side
from models.clock import from_now
from models.database import db
from models.tables import Attempt, DailyCount, IdempotencyKey, Item, Upload, WebhookDelivery
from tasks.gear import Gear
from tasks.sweep import STEPS

MONTHS = 90 * 86_400.0
DAY = 86_400.0


def largest_pages(side: Side, rows: int) -> dict[str, int]:
    """Step by step, the most rows that one statement of a sweep loads from PostgreSQL when `rows`
    of each kind are overdue."""
    settings = replace(side.gear.settings, waiting_expires_after=1.0, result_retention=DAY)
    gear = replace(side.gear, settings=settings)
    with side.gear.database(), db.engine.begin() as connection:
        connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
        connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
        for statement in _overdue(rows):
            connection.execute(statement)
    return {step.__name__.strip("_"): _largest(gear, step) for step in STEPS}


def _overdue(rows: int) -> Iterator[Any]:
    """Everything that waits is; beside it, so many rows of each other kind."""
    past = from_now(-MONTHS)
    final = select(Item.id).where(Item.counted).limit(rows)
    resting = select(Item.id).where(Item.status == "PENDING").order_by(Item.id.desc()).limit(rows)
    made = select(Attempt.id).where(Attempt.status == "ENDED", Attempt.prediction_id.is_not(None))
    unwanted = select(Attempt.id).where(Attempt.status == "ENDED").order_by(Attempt.id.desc())
    yield update(Item).where(Item.id.in_(final)).values(counted=False)
    yield update(Item).where(Item.id.in_(resting)).values(not_before=past)
    # Not of the states that they say: only what looks for them is looked at.
    created = {"status": "CREATED", "outcome": None, "next_check_at": past}
    yield update(Attempt).where(Attempt.id.in_(made.limit(rows))).values(**created)
    yield update(Attempt).where(Attempt.id.in_(unwanted.limit(rows))).values(cancel_at=past)
    yield update(Upload).values(expires_at=past)
    yield update(WebhookDelivery).values(created_at=past, status="PENDING", next_attempt_at=past)
    yield update(IdempotencyKey).values(created_at=past)
    yield update(DailyCount).values(summed_done=0)
    yield text("UPDATE totals SET value = 0, up_to = 0")


def _largest(gear: Gear, step: Callable[[Gear], str]) -> int:
    with gear.app.app_context(), _overheard() as loaded:
        step(gear)
    return max(loaded, default=0)


@contextmanager
def _overheard() -> Iterator[list[int]]:
    """How many rows each statement that returns any has loaded."""
    loaded: list[int] = []

    def hear(_connection: Connection, cursor: Any, *_rest: Any) -> None:
        if cursor.description:
            loaded.append(cursor.rowcount)

    event.listen(db.engine, "after_cursor_execute", hear)
    try:
        yield loaded
    finally:
        event.remove(db.engine, "after_cursor_execute", hear)
