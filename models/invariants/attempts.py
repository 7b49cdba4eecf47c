"""Each attempt against its image: one at a time is alive, and one at the most ever succeeded."""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import exists, select
from sqlalchemy.orm import Session, aliased

from models.database import snapshot
from models.invariants.pages import Finding, Page, Start, span
from models.tables import Attempt, AttemptStatus, Item, Status

ORPHAN = "Compare with a backup: an image goes only together with its attempts."
ALIVE = "A prediction may run that nobody waits for: cancel it at Replicate and end the attempt."
STRAY = "Nobody would cancel it rightly: set cancel_at to NULL, and look at the prediction."
TWICE = "Two images may have been paid for: compare with the predictions at Replicate."

_twin = aliased(Attempt)
SHARED = exists().where(_twin.prediction_id == Attempt.prediction_id, _twin.id < Attempt.id)


class Try(NamedTuple):
    """What is compared. `image` is the item's status; None where there is no such item."""

    id: int
    item_id: int
    status: AttemptStatus
    outcome: str | None
    prediction_id: str | None
    cancel_at: datetime | None
    shared: bool
    image: Status | None
    held_by: int | None

    @property
    def where(self) -> str:
        """How a finding names it."""
        return f"attempt {self.id} of item {self.item_id}"

    @property
    def ended(self) -> bool:
        """It will not change any more."""
        return self.status == AttemptStatus.ENDED

    def holds(self, status: Status) -> bool:
        """Whether its image has that status and is held by it."""
        return self.image == status and self.held_by == self.id


COLUMNS = (
    Attempt.id, Attempt.item_id, Attempt.status, Attempt.outcome, Attempt.prediction_id,
    Attempt.cancel_at, SHARED, Item.status, Item.attempt_id,
)  # fmt: skip


@snapshot
def attempts(session: Session, after: Start) -> Page:
    """Each has its image; living ones and those that succeeded are what their image says."""
    page = span(session, Attempt.id, after)
    if not page.rows:
        return page.page([])
    joined = select(*COLUMNS).outerjoin(Item, Item.id == Attempt.item_id)
    rows = session.execute(joined.where(page.holds(Attempt.id)).order_by(Attempt.id))
    return page.page([finding for row in rows for finding in _findings(Try._make(row))])


def _findings(attempt: Try) -> Iterator[Finding]:
    if attempt.shared:
        expected = "a prediction that no other attempt has"
        yield Finding(
            "shared_prediction", attempt.where, expected, f"{attempt.prediction_id}", TWICE
        )
    if attempt.cancel_at and not (attempt.ended and attempt.prediction_id):
        expected = "to be canceled only as an ended one that has a prediction"
        yield Finding("wanted_stray", attempt.where, expected, f"{attempt.status}", STRAY)
    if attempt.image is None:
        yield Finding("attempt_without_image", attempt.where, "an image", "none", ORPHAN)
    else:
        yield from _place(attempt)


def _place(attempt: Try) -> Iterator[Finding]:
    found = f"item {attempt.image}, held by attempt {attempt.held_by}"
    if not attempt.ended and not attempt.holds(Status.RUNNING):
        expected = f"{attempt.status} only while it holds a RUNNING image"
        yield Finding("living_attempt", attempt.where, expected, found, ALIVE)
    if attempt.outcome == "succeeded" and not attempt.holds(Status.DONE):
        expected = "succeeded only as the one that made a DONE image"
        yield Finding("second_success", attempt.where, expected, found, TWICE)
