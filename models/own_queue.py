"""What one instance has in the queue."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from models.database import reading
from models.job_rows import JOB, JobRow
from models.tables import Instance, Item, Job, Status


@dataclass(frozen=True, slots=True)
class OwnQueue:
    """How many images wait (those that rest after a failure included) and run; the ids of the first
    and of the last one that is due, and their jobs. Both ids are None where nothing is due."""

    waiting: int
    running: int
    first_due: int | None
    last_due: int | None
    jobs: Sequence[JobRow]


@reading
def own_queue(session: Session, instance_id: int) -> OwnQueue:
    """What this instance has. Only the images that run or rest are counted one by one, and no slot
    was ever given for more of them than the limit allows; what waits is counted on the instance."""
    first, last = (
        session.execute(_due(instance_id).order_by(order).limit(1)).one_or_none()
        for order in (Item.id, Item.id.desc())
    )
    job_ids = {row.job_id for row in (first, last) if row}
    due = session.scalar(select(Instance.due_items).where(Instance.id == instance_id)) or 0
    return OwnQueue(
        waiting=due + _count(session, instance_id, resting=True),
        running=_count(session, instance_id, resting=False),
        first_due=first and first.id,
        last_due=last and last.id,
        jobs=_jobs(session, job_ids),
    )


def _jobs(session: Session, job_ids: Collection[int]) -> Sequence[JobRow]:
    own = select(*JOB).where(Job.id.in_(job_ids))
    return [JobRow(*row) for row in session.execute(own)] if job_ids else []


def _due(instance_id: int) -> Select[int, int]:
    return select(Item.id, Item.job_id).where(
        Item.instance_id == instance_id, Item.status == Status.PENDING, Item.not_before.is_(None)
    )


def _count(session: Session, instance_id: int, *, resting: bool) -> int:
    which = Item.not_before.is_not(None) if resting else Item.status == Status.RUNNING
    counted = select(func.count()).select_from(Item).where(Item.instance_id == instance_id, which)
    return session.scalars(counted).one()
