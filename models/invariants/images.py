"""Each image against its job and against the attempt that holds it."""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.invariants.pages import Finding, Page, Start, snapshot, span
from models.tables import Attempt, AttemptStatus, CreditEntry, Item, Job, Status

ORPHAN = "Compare with a backup: rows of this service are never deleted."
HELD = "Nothing will move it on. Look its predictions up at Replicate, then set the row right."
BOOK = "What the ledger says counts: set the item's mark, or grant the credits by hand."
RESULT = "The shop was told that it is done: look for its file in the storage."


@snapshot
def images(session: Session, after: Start) -> Page:
    """Each belongs to a job of its instance, and is held as its status says."""
    page = span(session, Item.id, after)
    rows = session.execute(
        select(Item, Job.instance_id, Attempt)
        .outerjoin(Job, Job.id == Item.job_id)
        .outerjoin(Attempt, Attempt.id == Item.attempt_id)
        .where(page.holds(Item.id))
        .order_by(Item.id)
    ).all()
    refunded = _refunded(session, [row.Item.id for row in rows])
    found = [finding for row in rows for finding in _image(*row)]
    return page.page(found + [each for row in rows for each in _marked(row.Item, refunded)])


def _refunded(session: Session, item_ids: Sequence[int]) -> set[str]:
    references = [_reference(id) for id in item_ids]
    booked = select(CreditEntry.reference).where(CreditEntry.reference.in_(references))
    return set(session.scalars(booked))


def _reference(item_id: int) -> str:
    return f"refund:item:{item_id}"


def _marked(item: Item, refunded: set[str]) -> Iterator[Finding]:
    """The mark is what its shop is shown, the entry is the credits."""
    booked = _reference(item.id) in refunded
    if item.refunded != booked:
        expected = "refunded and booked" if item.refunded else "neither refunded nor booked"
        found = "no entry" if item.refunded else f"an entry {_reference(item.id)}"
        where = f"item {item.id} of job {item.job_id}"
        yield Finding("refund_mark", where, expected, found, BOOK)


def _image(item: Item, instance_id: int | None, attempt: Attempt | None) -> Iterator[Finding]:
    where = f"item {item.id} of job {item.job_id}"
    if instance_id != item.instance_id:
        found = "none" if instance_id is None else f"one of instance {instance_id}"
        expected = f"a job of instance {item.instance_id}"
        yield Finding("image_without_job", where, expected, found, ORPHAN)
    if item.status == Status.DONE and not (item.result_key and item.result_type):
        expected = "a result and its content type"
        yield Finding("done_without_result", where, expected, f"{item.result_key}", RESULT)
    yield from _held(where, item, attempt)


def _held(where: str, item: Item, attempt: Attempt | None) -> Iterator[Finding]:
    own = attempt if attempt and attempt.item_id == item.id else None
    if item.status == Status.RUNNING and (own is None or own.status == AttemptStatus.ENDED):
        expected = "RUNNING, held by an attempt of its own that has not ended"
        yield Finding("running_without_attempt", where, expected, _tell(attempt), HELD)
    if item.status == Status.DONE and (own is None or own.outcome != "succeeded"):
        expected = "DONE by an attempt of its own that succeeded"
        yield Finding("done_without_attempt", where, expected, _tell(attempt), RESULT)


def _tell(attempt: Any) -> str:
    if attempt is None:
        return "none"
    return f"attempt {attempt.id} of item {attempt.item_id}, {attempt.outcome or attempt.status}"
