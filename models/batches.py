"""Many jobs ordered at once, for one charge: all of them or none; and what became of them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import ordering
from models.batch_orders import BatchOrder, BatchReceipt
from models.database import reading, transaction
from models.errors import NotFound
from models.job_rows import JOB, JobRow
from models.ledger import Orderer
from models.orders import Pricing
from models.tables import FINAL, Batch, Job, Status

COUNTERS = ("completed_images", "failed_images", "canceled_images")


@dataclass(frozen=True, slots=True)
class Progress:
    """A batch with what became of its jobs. `version` grows with every change of one of them."""

    id: int
    total_jobs: int
    total_images: int
    created_at: datetime
    status: Status
    completed_images: int
    failed_images: int
    canceled_images: int
    finished_at: datetime | None
    version: int

    @classmethod
    def of(cls, batch: Batch, jobs: Sequence[Any]) -> Self:
        """The progress by its jobs, or by what was summed up of them, status by status."""
        done, failed, canceled = (sum(getattr(job, name) for job in jobs) for name in COUNTERS)
        ended = all(job.status in FINAL for job in jobs)
        return cls(
            batch.id,
            batch.total_jobs,
            batch.total_images,
            batch.created_at,
            status=_ended(done, canceled) if ended else _going_on(jobs),
            completed_images=done,
            failed_images=failed,
            canceled_images=canceled,
            finished_at=max((job.finished_at for job in jobs), default=None) if ended else None,
            version=sum(job.version for job in jobs),
        )


@transaction
def submit(
    session: Session,
    instance_id: int,
    order: BatchOrder,
    price: Pricing,
    key: str | None = None,
    reuse_for: float = 0.0,
) -> BatchReceipt:
    """What `lifecycle.submit` does, for all jobs of a batch or for none."""

    def place(orderer: Orderer) -> BatchReceipt:
        return ordering.place_batch(session, orderer, order, price, reuse_for)

    return ordering.once(session, instance_id, order, key, BatchReceipt, place)


@reading
def page(session: Session, instance_id: int, before: int | None, limit: int) -> Sequence[Progress]:
    """An instance's batches, newest first: those with an id below `before`."""
    own = select(Batch).where(Batch.instance_id == instance_id)
    if before is not None:
        own = own.where(Batch.id < before)
    found = session.scalars(own.order_by(Batch.id.desc()).limit(limit)).all()
    sums = _sums(session, [batch.id for batch in found])
    return [Progress.of(batch, sums.get(batch.id, [])) for batch in found]


@reading
def one(session: Session, instance_id: int, batch_id: int) -> tuple[Progress, Sequence[JobRow]]:
    """A batch of an instance, and its jobs in the order in which they were submitted; raises
    `NotFound` also when it is another's."""
    own = select(Batch).where(Batch.id == batch_id, Batch.instance_id == instance_id)
    batch = session.scalar(own)
    if batch is None:
        raise NotFound(f"There is no batch {batch_id}.")
    found = session.execute(select(*JOB).where(Job.batch_id == batch_id).order_by(Job.id))
    jobs = [JobRow(*row) for row in found]
    return Progress.of(batch, jobs), jobs


def _sums(session: Session, batch_ids: Iterable[int]) -> Mapping[int, list[Any]]:
    """At most five rows for each batch, however many jobs it has."""
    summed = [func.sum(getattr(Job, name)).label(name) for name in COUNTERS]
    rows = session.execute(
        select(
            Job.batch_id,
            Job.status,
            *summed,
            func.sum(Job.version).label("version"),
            func.max(Job.finished_at).label("finished_at"),
        )
        .where(Job.batch_id.in_(batch_ids))
        .group_by(Job.batch_id, Job.status)
    )
    sums: dict[int, list[Any]] = {}
    for row in rows:
        sums.setdefault(row.batch_id, []).append(row)
    return sums


def _ended(done: int, canceled: int) -> Status:
    """As of a job: one image that is there is what it was for."""
    if done:
        return Status.DONE
    return Status.CANCELED if canceled else Status.FAILED


def _going_on(jobs: Sequence[Any]) -> Status:
    waits = all(job.status == Status.PENDING for job in jobs)
    return Status.PENDING if waits else Status.RUNNING
