"""Ordering again what failed: a new job of the failed images of one that has ended.

A job is retried once. What fails again is retried as an image of the new job, so jobs form chains
and no image is ordered twice by two people who retry the same job.
"""

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import audit, moves, ordering
from models.database import reading, transaction
from models.errors import (
    AlreadyRetried,
    JobUnfinished,
    NotFound,
    NothingToRetry,
)
from models.ledger import Orderer
from models.orders import ImageOrder, JobOrder, JobRetry, Pricing, Receipt
from models.tables import FINAL, Item, Job, Status


@transaction
def retry(
    session: Session,
    instance_id: int,
    job_id: int,
    price: Pricing,
    key: str | None = None,
    by: str | None = None,
) -> Receipt:
    """Order the failed images of an instance's job once more, at today's `price`.

    `by` is the operator whom the audit shall name.
    With an `Idempotency-Key` that was used for this before, return the first receipt instead.
    Raises `NotFound`, `JobUnfinished`, `AlreadyRetried`, `NothingToRetry`, what `price` raises and
    what `lifecycle.submit` does; nothing is written then.
    """

    def place(orderer: Orderer) -> Receipt:
        receipt = _retry(session, orderer, job_id, price)
        facts = {"job": job_id, "retried_by": receipt.job.id, "credits": receipt.credits_used}
        audit.write_about(session, by, "jobs retry", instance_id, **facts)
        return receipt

    return ordering.once(session, instance_id, JobRetry(job_id), key, Receipt, place)


@reading
def retried_by(session: Session, job_id: int) -> int | None:
    """The id of the job that is a retry of this one, if there is one."""
    return _retried_by(session, job_id)


def _retry(session: Session, orderer: Orderer, job_id: int, price: Pricing) -> Receipt:
    old = _ended(session, orderer.id, job_id)
    order = JobOrder(old.product_id, old.product_name, _failed(session, old))
    receipt = ordering.place_job(session, orderer, order, price, retry_of=old.id)
    # Its shop is shown that it was retried.
    old.version += 1
    return receipt


def _ended(session: Session, instance_id: int, job_id: int) -> Job:
    """The lock on the instance keeps a second retry away until this one is written."""
    own = select(Job.id).where(Job.id == job_id, Job.instance_id == instance_id)
    if session.scalar(own) is None:
        raise NotFound(f"There is no job {job_id}.")
    job = moves.lock_job(session, job_id)
    if job.status not in FINAL:
        raise JobUnfinished("This job is still under way: wait for its end, or cancel it.")
    if later := _retried_by(session, job_id):
        raise AlreadyRetried(later)
    return job


def _failed(session: Session, job: Job) -> tuple[ImageOrder, ...]:
    own = select(Item).where(Item.job_id == job.id, Item.status == Status.FAILED)
    failed = session.scalars(own.order_by(Item.position)).all()
    if not failed:
        raise NothingToRetry("No image of this job has failed.")
    return tuple(ImageOrder.of(item) for item in failed)


def _retried_by(session: Session, job_id: int) -> int | None:
    return session.scalar(select(Job.id).where(Job.retry_of == job_id))
