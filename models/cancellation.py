"""A shop's wish that images are canceled: what waits ends at once, for what was sent Replicate is
asked, and its answer decides.

The wish is written under the locks of the instance and of the job. Whoever would have an image wait
again takes both of them as well and reads the wish after that, so an image that is wanted canceled
is never sent a second time.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Select, select, update
from sqlalchemy.orm import Session

from models import audit, ledger, moves
from models.clock import now
from models.database import transaction
from models.errors import AlreadyCanceled, AlreadyFinished, CancelRequested, NotFound
from models.tables import Attempt, AttemptStatus, Instance, Item, Job, States, Status

CANCELED: dict[str, Any] = {"status": Status.CANCELED}
# Replicate ended what was running there: that has cost something. Every other end of an attempt
# without a result is free.
COSTLY = "canceled"


class Canceled(NamedTuple):
    """What became of a wish: how many images were `canceled` at once, for how many Replicate has
    to answer first, and the checks that ask it: pairs of an attempt and the number of its check."""

    canceled: int
    asked: int
    checks: Sequence[tuple[int, int]]


@transaction
def cancel_job(session: Session, instance_id: int, job_id: int, by: str | None = None) -> Canceled:
    """Cancel what is left of an instance's job.

    `by`, here and below, is the operator whom the audit shall name. Raises `NotFound`, or one of
    `AlreadyFinished`, `AlreadyCanceled` and `CancelRequested` when nothing is left.
    """
    instance, job = _lock(session, instance_id, job_id)
    items = session.scalars(_items(job)).all()
    audit.write(session, by, "jobs cancel", instance.name, job=job_id)
    return _cancel(session, instance, job, items)


@transaction
def cancel_item(
    session: Session, instance_id: int, job_id: int, item_id: int, by: str | None = None
) -> Canceled:
    """The same for one image of a job."""
    instance, job = _lock(session, instance_id, job_id)
    items = session.scalars(_items(job).where(Item.id == item_id)).all()
    if not items:
        raise NotFound(f"There is no image {item_id} in job {job_id}.")
    audit.write(session, by, "jobs cancel", instance.name, job=job_id, item=item_id)
    return _cancel(session, instance, job, items)


def end(
    session: Session,
    instance: Instance,
    item: Item,
    attempt_id: int,
    outcome: str,
    states: States,
) -> bool:
    """Cancel an image that is wanted canceled instead of having it wait again.

    The instance is locked. False: this attempt no longer holds the image.
    """
    refund = outcome != COSTLY
    facts = CANCELED | {"refunded": refund}
    if not moves.close(session, attempt_id, outcome, facts, states):
        return False
    if refund:
        moves.refund(session, instance, item)
    return True


def _lock(session: Session, instance_id: int, job_id: int) -> tuple[Instance, Job]:
    instance = ledger.lock(session, instance_id)
    own = select(Job.id).where(Job.id == job_id, Job.instance_id == instance_id)
    if session.scalar(own) is None:
        raise NotFound(f"There is no job {job_id}.")
    return instance, moves.lock_job(session, job_id)


def _items(job: Job) -> Select[Item]:
    """With both locks held nobody else moves them."""
    return select(Item).where(Item.job_id == job.id).order_by(Item.id)


def _cancel(session: Session, instance: Instance, job: Job, items: Sequence[Item]) -> Canceled:
    waiting = [item for item in items if item.status == Status.PENDING]
    running = [item for item in items if item.status == Status.RUNNING]
    sent = [item for item in running if not item.cancel_requested_at]
    if not waiting and not sent:
        raise _refusal(items)
    checks = _hurry(session, sent) if sent else []
    moves.withdraw(session, instance, waiting, CANCELED)
    if sent:
        _write_wish(session, job, sent)
    return Canceled(len(waiting), len(running), checks)


def _refusal(items: Sequence[Item]) -> Exception:
    statuses = {item.status for item in items}
    if Status.RUNNING in statuses:
        return CancelRequested("This is being canceled already: Replicate has not answered yet.")
    if Status.CANCELED in statuses and Status.DONE not in statuses:
        return AlreadyCanceled("This is canceled already.")
    return AlreadyFinished("This is finished: there is nothing left to be canceled.")


def _hurry(session: Session, sent: Sequence[Item]) -> list[tuple[int, int]]:
    """Have the predictions of these images asked about now.

    The rows are locked before they are looked at: of one whose prediction is being noted at this
    moment it is then known, and what is noted later is noted by somebody who sees the wish.
    """
    holding = [item.attempt_id for item in sent]
    own = select(Attempt).where(Attempt.id.in_(holding)).order_by(Attempt.id)
    locked = session.scalars(own.with_for_update(key_share=True)).all()
    created = [each for each in locked if each.status == AttemptStatus.CREATED]
    due = update(Attempt).where(Attempt.id.in_([each.id for each in created]))
    session.execute(due.values(next_check_at=now()))
    return [(each.id, each.checks + 1) for each in created]


def _write_wish(session: Session, job: Job, sent: Sequence[Item]) -> None:
    wish = update(Item).where(Item.id.in_([item.id for item in sent]))
    session.execute(wish.values(cancel_requested_at=now(), updated_at=now()))
    job.version += 1
