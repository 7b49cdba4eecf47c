"""What every move of `models.lifecycle` goes through: end the attempt, move the item, count it.

Locks are taken in one order everywhere: instance, job, attempt, item.
"""

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from models import caps, ledger, outgoing
from models.clock import now
from models.database import changed
from models.tables import (
    NOT_ENDED,
    Attempt,
    AttemptStatus,
    EntryKind,
    Instance,
    Item,
    Job,
    Status,
)

COUNTERS = {
    Status.DONE: "completed_images",
    Status.FAILED: "failed_images",
    Status.CANCELED: "canceled_images",
}


def lock_job(session: Session, job_id: int) -> Job:
    """Lock the job's row and return it."""
    locked = select(Job).where(Job.id == job_id).with_for_update(key_share=True)
    return session.scalars(locked.execution_options(populate_existing=True)).one()


def item_of(session: Session, attempt_id: int) -> Item:
    """Read without a lock, to know what to lock; the compare-and-set decides."""
    found = select(Item).join(Attempt, Attempt.item_id == Item.id).where(Attempt.id == attempt_id)
    return session.scalars(found).one()


def hold(session: Session, attempt_id: int) -> tuple[Instance, Job, Item]:
    """Lock the instance and the job of an attempt's item, and read the item as it is then."""
    item = item_of(session, attempt_id)
    instance = ledger.lock(session, item.instance_id)
    job = lock_job(session, item.job_id)
    session.refresh(item)
    return instance, job, item


def leave(
    session: Session,
    item: Item,
    attempt_id: int,
    outcome: str,
    facts: dict[str, Any],
    states: Sequence[AttemptStatus],
) -> bool:
    """End the attempt and move its item on, both by compare-and-set; False: somebody else did."""
    living = update(Attempt).where(Attempt.id == attempt_id, Attempt.status.in_(states))
    ended = {"status": AttemptStatus.ENDED, "outcome": outcome, "ended_at": now()}
    if not changed(session, living.values(**ended, next_check_at=None)):
        return False
    held = update(Item).where(
        Item.id == item.id, Item.status == Status.RUNNING, Item.attempt_id == attempt_id
    )
    return changed(session, held.values(**facts, updated_at=now()))


def close(
    session: Session,
    item: Item,
    attempt_id: int,
    outcome: str,
    facts: dict[str, Any],
    states: Sequence[AttemptStatus] = NOT_ENDED,
) -> bool:
    """Move a running item to a final status, and count it."""
    capped = caps.lock_if_capped(session, item.instance_id)
    job = lock_job(session, item.job_id)
    if not leave(session, item, attempt_id, outcome, facts, states):
        return False
    caps.let_go(session, capped)
    count(session, job, [item], facts["status"])
    return True


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


def refund(session: Session, instance: Instance, item: Item) -> None:
    """Give a locked instance back what an item cost; a second time violates the reference."""
    ledger.book(session, instance, EntryKind.REFUND, item.credits, f"refund:item:{item.id}")


def count(session: Session, job: Job, items: Sequence[Item], status: Status) -> None:
    """Count items of a locked job that have just become final, close the job when they were its
    last ones, and write down who is to be told of it."""
    if not items:
        return
    setattr(job, COUNTERS[status], getattr(job, COUNTERS[status]) + len(items))
    job.version += 1
    if job.completed_images + job.failed_images + job.canceled_images == job.total_images:
        job.status, job.finished_at = _final_status(job), now()
    outgoing.record(session, job, items, status)


def _final_status(job: Job) -> Status:
    if job.completed_images:
        return Status.DONE
    return Status.CANCELED if job.canceled_images else Status.FAILED
