"""Each attempt against its image: one at a time is alive, and one at the most ever succeeded."""

from collections.abc import Iterator

from sqlalchemy import exists, select
from sqlalchemy.orm import Session, aliased

from models.invariants.pages import Finding, Page, Start, snapshot, span
from models.tables import Attempt, AttemptStatus, Item, Status

ORPHAN = "Compare with a backup: rows of this service are never deleted."
ALIVE = "A prediction may run that nobody waits for: cancel it at Replicate and end the attempt."
STRAY = "Nobody would cancel it rightly: set cancel_at to NULL, and look at the prediction."
TWICE = "Two images may have been paid for: compare with the predictions at Replicate."


@snapshot
def attempts(session: Session, after: Start) -> Page:
    """Each has its image; living ones and those that succeeded are what their image says."""
    page = span(session, Attempt.id, after)
    twin = aliased(Attempt)
    shared = exists().where(twin.prediction_id == Attempt.prediction_id, twin.id < Attempt.id)
    rows = session.execute(
        select(Attempt, Item, shared)
        .outerjoin(Item, Item.id == Attempt.item_id)
        .where(page.holds(Attempt.id))
        .order_by(Attempt.id)
    ).all()
    return page.page([finding for row in rows for finding in _attempt(*row)])


def _attempt(attempt: Attempt, item: Item | None, shared: bool) -> Iterator[Finding]:
    where = f"attempt {attempt.id} of item {attempt.item_id}"
    if shared:
        expected = "a prediction that no other attempt has"
        yield Finding("shared_prediction", where, expected, f"{attempt.prediction_id}", TWICE)
    if item is None:
        yield Finding("attempt_without_image", where, "an image", "none", ORPHAN)
        return
    ended = attempt.status == AttemptStatus.ENDED
    if attempt.cancel_at and not (ended and attempt.prediction_id):
        expected = "to be canceled only as an ended one that has a prediction"
        yield Finding("wanted_stray", where, expected, f"{attempt.status}", STRAY)
    found = f"item {item.status}, held by attempt {item.attempt_id}"
    held = item.attempt_id == attempt.id
    if not ended and not (held and item.status == Status.RUNNING):
        expected = f"{attempt.status} only while it holds a RUNNING image"
        yield Finding("living_attempt", where, expected, found, ALIVE)
    if attempt.outcome == "succeeded" and not (held and item.status == Status.DONE):
        expected = "succeeded only as the one that made a DONE image"
        yield Finding("second_success", where, expected, found, TWICE)
