"""What every move of `models.lifecycle` goes through: end the attempt, move the item, count it.

Locks are taken in one order everywhere: instance, job, attempt, item.
"""

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from sqlalchemy import ClauseElement, Row, bindparam, select, update
from sqlalchemy.orm import Session

from models import caps, ledger, outgoing
from models.clock import now
from models.database import changed
from models.outgoing import LISTENED_TO, Happened
from models.tables import (
    ATTEMPTS,
    IN_DOUBT,
    INSTANCES,
    ITEMS,
    JOBS,
    NOT_ENDED,
    AttemptStatus,
    EntryKind,
    Instance,
    Item,
    Job,
    States,
    Status,
    fixed,
)

COUNTERS = {
    Status.DONE: "completed_images",
    Status.FAILED: "failed_images",
    Status.CANCELED: "canceled_images",
}


_A, _I, _J = ATTEMPTS.c, ITEMS.c, JOBS.c
_OF_ITEM = (_I.id, _I.job_id, _I.instance_id, _I.credits)
_OF_JOB = (
    _J.status,
    _J.version,
    _J.total_images,
    *(_J[name] for name in COUNTERS.values()),
    LISTENED_TO.label("listened_to"),
)
_HELD = (
    select(*_OF_ITEM)
    .join_from(ATTEMPTS, ITEMS, _I.id == _A.item_id)
    .where(_A.id == bindparam("attempt"))
)
_LOCK_JOB = select(*_OF_JOB).where(_J.id == bindparam("job")).with_for_update(key_share=True)
_HOLD_UNCAPPED = (
    _HELD.add_columns(*_OF_JOB)
    .join(JOBS, _J.id == _I.job_id)
    .join(INSTANCES, INSTANCES.c.id == _I.instance_id)
    .where(INSTANCES.c.max_running.is_(None))
    .with_for_update(key_share=True, of=JOBS)
)
# What else is new of the rows comes with the parameters, by the columns' names.
_END = (
    update(ATTEMPTS)
    .where(_A.id == bindparam("attempt"))
    .values(status=fixed(AttemptStatus.ENDED), ended_at=now(), next_check_at=None)
)
_END_FROM = {
    states: _END.where(_A.status.in_([fixed(status) for status in states]))
    for states in (IN_DOUBT, NOT_ENDED)
}
_MOVE = (
    update(ITEMS)
    .where(
        _I.id == bindparam("item"),
        _I.status == fixed(Status.RUNNING),
        _I.attempt_id == bindparam("attempt"),
    )
    .values(updated_at=now())
)
_COUNT = update(JOBS).where(_J.id == bindparam("job"))
_CLOSE_JOB = _COUNT.values(finished_at=now())


class Held(NamedTuple):
    """An item that an attempt holds."""

    id: int
    job_id: int
    instance_id: int
    credits: int


def lock_job(session: Session, job_id: int) -> Job:
    """Lock the job's row and return it."""
    locked = select(Job).where(Job.id == job_id).with_for_update(key_share=True)
    return session.scalars(locked.execution_options(populate_existing=True)).one()


def item_of(session: Session, attempt_id: int) -> Held:
    """Read without a lock, to know what to lock; the compare-and-set decides."""
    return Held(*session.execute(_HELD, {"attempt": attempt_id}).one())


def hold(session: Session, attempt_id: int) -> tuple[Instance, Job, Item]:
    """Lock the instance and the job of an attempt's item, and read the item as it is then."""
    held = item_of(session, attempt_id)
    instance = ledger.lock(session, held.instance_id)
    job = lock_job(session, held.job_id)
    return instance, job, session.get_one(Item, held.id, populate_existing=True)


def leave(
    session: Session,
    item_id: int,
    attempt_id: int,
    outcome: str,
    facts: dict[str, Any],
    states: States,
) -> bool:
    """End the attempt and move its item on, both by compare-and-set; False: somebody else did."""
    if not changed(session, _END_FROM[states], {"attempt": attempt_id, "outcome": outcome}):
        return False
    # Only plain values can be parameters.
    said = {name: fact for name, fact in facts.items() if isinstance(fact, ClauseElement)}
    move = _MOVE.values(said) if said else _MOVE
    plain = {name: fact for name, fact in facts.items() if name not in said}
    return changed(session, move, {"item": item_id, "attempt": attempt_id, **plain})


def close(
    session: Session,
    attempt_id: int,
    outcome: str,
    facts: dict[str, Any],
    states: States = NOT_ENDED,
) -> bool:
    """Move a running item to a final status, and count it."""
    item, job, capped = _hold_to_close(session, attempt_id)
    if not leave(session, item.id, attempt_id, outcome, facts, states):
        return False
    caps.let_go(session, capped)
    counted = _counted(job, 1, facts["status"])
    session.execute(_CLOSE_JOB if "status" in counted else _COUNT, {"job": item.job_id, **counted})
    if job.listened_to:
        job_status = counted.get("status", job.status)
        outgoing.record(
            session,
            Happened(item.instance_id, item.job_id, job_status, [item.id], facts["status"]),
        )
    return True


def _hold_to_close(session: Session, attempt_id: int) -> tuple[Held, Row[Any], Instance | None]:
    """Lock an attempt's job, and the instance before it if that is capped."""
    asked = {"attempt": attempt_id}
    if row := session.execute(_HOLD_UNCAPPED, asked).one_or_none():
        return Held(*row[: len(Held._fields)]), row, None
    item = item_of(session, attempt_id)
    capped = caps.lock(session, item.instance_id)
    return item, session.execute(_LOCK_JOB, {"job": item.job_id}).one(), capped


def withdraw(
    session: Session, instance: Instance, items: Iterable[Item], facts: dict[str, Any]
) -> int:
    """Move waiting items of a locked instance to a final status, their credits given back.

    Return how many. The lock on the instance keeps everybody else from moving them: who claims,
    requeues or makes due takes it as well.
    """
    in_order = sorted(items, key=lambda item: (item.job_id, item.id))
    withdrawn = 0
    for job_id, group in groupby(in_order, key=lambda item: item.job_id):
        job = lock_job(session, job_id)
        moved = [item for item in group if _withdraw(session, instance, item, facts)]
        count(session, job, moved, facts["status"])
        withdrawn += len(moved)
    return withdrawn


def _withdraw(session: Session, instance: Instance, item: Item, facts: dict[str, Any]) -> bool:
    waiting = update(Item).where(Item.id == item.id, Item.status == Status.PENDING)
    moved = waiting.values(**facts, refunded=True, not_before=None, updated_at=now())
    # Asked before the UPDATE, which changes the object in the session too.
    due = item.not_before is None
    if not changed(session, moved):
        return False
    instance.due_items -= 1 if due else 0
    refund(session, instance, item)
    return True


def refund(session: Session, instance: Instance, item: Item | Held) -> None:
    """Give a locked instance back what an item cost; a second time violates the reference."""
    ledger.book(session, instance, EntryKind.REFUND, item.credits, f"refund:item:{item.id}")


def count(session: Session, job: Job, items: Sequence[Item], status: Status) -> None:
    """Count items of a locked job that have just become final, close the job when they were its
    last ones, and write down who is to be told of it."""
    if not items:
        return
    counted = _counted(job, len(items), status)
    if "status" in counted:
        job.finished_at = now()
    for column, value in counted.items():
        setattr(job, column, value)
    ids = [item.id for item in items]
    outgoing.record(session, Happened(job.instance_id, job.id, job.status, ids, status))


def _counted(job: Job | Row[Any], images: int, status: Status) -> dict[str, Any]:
    """What is new of a locked job when so many of its images have become final: also its status,
    if they were the last ones."""
    counters = {column: getattr(job, column) for column in COUNTERS.values()}
    counters[COUNTERS[status]] += images
    new = counters | {"version": job.version + 1}
    if sum(counters.values()) < job.total_images:
        return new
    return new | {"status": _final_status(counters)}


def _final_status(counters: dict[str, int]) -> Status:
    if counters[COUNTERS[Status.DONE]]:
        return Status.DONE
    return Status.CANCELED if counters[COUNTERS[Status.CANCELED]] else Status.FAILED
