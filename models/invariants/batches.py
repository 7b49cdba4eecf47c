"""Each batch against its jobs, and against the one charge for all of them."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.database import snapshot
from models.invariants.pages import Finding, Page, Span, Start, span
from models.tables import Batch, CreditEntry, EntryKind, Item, Job

BOOK = "Book the difference with `credits grant` and a reference that names the batch."
OWNER = "Set batch_id of the other instance's jobs to NULL: their batch was not ordered by it."
COUNT = "Set the columns to what counting gives; then find out who wrote them."

Counted = tuple[int, int, int]
"""The jobs of a batch that are there, their images, and what these cost."""


@snapshot
def batches(session: Session, after: Start) -> Page:
    """The charge pays exactly for the images of all its jobs, which are its instance's own."""
    page = span(session, Batch.id, after, 100)
    if not page.rows:
        return page.page([], 100)
    rows = session.scalars(select(Batch).where(page.holds(Batch.id)).order_by(Batch.id)).all()
    counted, charges = _count(session, page), _charges(session, [each.id for each in rows])
    found = list(_owners(session, page))
    for batch in rows:
        there = counted.get(batch.id, (0, 0, 0))
        found += _findings(batch, there, charges.get(_reference(batch.id)))
    return page.page(found, 100)


def _count(session: Session, page: Span) -> dict[int, Counted]:
    of_batch = page.holds(Job.batch_id)
    columns = (Job.batch_id, func.count(Job.id.distinct()), func.count(), func.sum(Item.credits))
    grouped = select(*columns).join(Item, Item.job_id == Job.id).where(of_batch)
    rows: Any = session.execute(grouped.group_by(Job.batch_id))
    return {batch_id: (jobs, images, int(cost)) for batch_id, jobs, images, cost in rows}


def _charges(session: Session, batch_ids: list[int]) -> dict[str, int]:
    references = [_reference(id) for id in batch_ids]
    booked = select(CreditEntry.reference, CreditEntry.amount).where(
        CreditEntry.reference.in_(references), CreditEntry.kind == EntryKind.CHARGE
    )
    return {row.reference: row.amount for row in session.execute(booked)}


def _owners(session: Session, page: Span) -> Iterator[Finding]:
    strange = select(Job.id, Job.batch_id).join(Batch, Batch.id == Job.batch_id)
    for job_id, batch_id in session.execute(
        strange.where(page.holds(Batch.id), Job.instance_id != Batch.instance_id)
    ):
        expected = "jobs of one instance"
        yield Finding("batch_owner", f"batch {batch_id}", expected, f"job {job_id}", OWNER)


def _findings(batch: Batch, there: Counted, charge: int | None) -> Iterator[Finding]:
    """Of a batch of which jobs were deleted, its share of the charge is not known any more."""
    where = f"batch {batch.id} of instance {batch.instance_id}"
    jobs, images, cost = there
    if jobs > batch.total_jobs or (jobs == batch.total_jobs and images != batch.total_images):
        expected = f"{batch.total_jobs} jobs with {batch.total_images} images"
        yield Finding("batch_totals", where, expected, f"{jobs} with {images}", COUNT)
    if charge is None:
        yield Finding("batch_without_charge", where, f"{cost} credits charged", "no charge", BOOK)
    elif jobs == batch.total_jobs and charge != -cost:
        yield Finding("charge_amount", where, f"{-cost} credits", f"{charge}", BOOK)
    elif -charge < cost:
        yield Finding("charge_amount", where, f"{-cost} credits or more", f"{charge}", BOOK)


def _reference(batch_id: int) -> str:
    return f"charge:batch:{batch_id}"
