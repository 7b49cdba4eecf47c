"""Each image against its job, against the attempt that holds it, and against its refund."""

from collections.abc import Iterator
from typing import NamedTuple

from sqlalchemy import String, cast, exists, literal, select
from sqlalchemy.orm import Session, aliased

from models.cancellation import COSTLY
from models.database import snapshot
from models.invariants.pages import Finding, Page, Start, span
from models.tables import Attempt, AttemptStatus, CreditEntry, Item, Job, Status

ORPHAN = "Compare with a backup: a job goes only together with its images."
HELD = "Nothing will move it on. Look its predictions up at Replicate, then set the row right."
BOOK = "What the ledger says counts: set the item's mark, or grant the credits by hand."
SENT = "Clear cancel_requested_at, or cancel the image again: nobody may send it as it is."
RESULT = "The shop was told that it is done: look for its file in the storage."

REUSED = "Compare with a backup: the shop may be shown what it never ordered."

Origin = aliased(Item)
BOOKED = exists().where(
    CreditEntry.reference == literal("refund:item:", String) + cast(Item.id, String)
)


class Image(NamedTuple):
    """What is compared. `owner` is its job's instance; None, like the attempt's facts, where there
    is no such row."""

    id: int
    job_id: int
    instance_id: int
    status: Status
    result_key: str | None
    result_type: str | None
    refunded: bool
    unwanted: bool
    booked: bool
    owner: int | None
    attempt_id: int | None
    attempt_item: int | None
    attempt_status: AttemptStatus | None
    outcome: str | None
    credits: int
    stored_key: str | None
    reuse_hash: str | None
    origin_id: int | None
    origin_owner: int | None
    origin_key: str | None
    origin_hash: str | None

    @property
    def where(self) -> str:
        """How a finding names it."""
        return f"item {self.id} of job {self.job_id}"

    @property
    def attempt(self) -> str:
        """How a finding names what holds it."""
        if self.attempt_id is None:
            return "none"
        told = self.outcome or self.attempt_status
        return f"attempt {self.attempt_id} of item {self.attempt_item}, {told}"


# The plain columns: whole rows, prompts and all, take five times as long.
COLUMNS = (
    Item.id, Item.job_id, Item.instance_id, Item.status, Item.result_key, Item.result_type,
    Item.refunded, Item.cancel_requested_at.is_not(None), BOOKED, Job.instance_id, Attempt.id,
    Attempt.item_id, Attempt.status, Attempt.outcome, Item.credits, Item.stored_key,
    Item.reuse_hash, Item.reused_from, Origin.instance_id, Origin.result_key, Origin.reuse_hash,
)  # fmt: skip


@snapshot
def images(session: Session, after: Start) -> Page:
    """Each belongs to a job of its instance, and is held and refunded as it says."""
    page = span(session, Item.id, after)
    rows = session.execute(
        select(*COLUMNS)
        .outerjoin(Job, Job.id == Item.job_id)
        .outerjoin(Attempt, Attempt.id == Item.attempt_id)
        .outerjoin(Origin, Origin.id == Item.reused_from)
        .where(page.holds(Item.id))
        .order_by(Item.id)
    )
    return page.page([finding for row in rows for finding in _findings(Image._make(row))])


def _findings(image: Image) -> Iterator[Finding]:
    if image.owner != image.instance_id:
        found = "none" if image.owner is None else f"one of instance {image.owner}"
        expected = f"a job of instance {image.instance_id}"
        yield Finding("image_without_job", image.where, expected, found, ORPHAN)
    # The mark is what its shop is shown, the entry is the credits.
    if image.refunded != image.booked:
        expected = "refunded and booked" if image.refunded else "neither refunded nor booked"
        found = f"{'an' if image.booked else 'no'} entry refund:item:{image.id}"
        yield Finding("refund_mark", image.where, expected, found, BOOK)
    if image.status == Status.DONE:
        yield from _done(image)
    elif image.stored_key or image.origin_id:
        found = f"{image.status}, reused from item {image.origin_id}"
        yield Finding("reused_unfinished", image.where, "DONE, as it is reused", found, REUSED)
    if image.status == Status.RUNNING:
        yield from _running(image)
    if image.status == Status.PENDING and image.unwanted:
        expected = "never waiting again once its shop wants it canceled"
        yield Finding("unwanted_waiting", image.where, expected, "PENDING", SENT)
    if image.status == Status.CANCELED:
        yield from _canceled(image)


def _done(image: Image) -> Iterator[Finding]:
    if not (image.result_key and image.result_type):
        expected = "a result and its content type"
        yield Finding("done_without_result", image.where, expected, f"{image.result_key}", RESULT)
    if image.stored_key:
        yield from _reused(image)
    elif image.attempt_item != image.id or image.outcome != "succeeded":
        expected = "DONE by an attempt of its own that succeeded"
        yield Finding("done_without_attempt", image.where, expected, image.attempt, RESULT)


def _reused(image: Image) -> Iterator[Finding]:
    """It was never sent, cost nothing, and is what its instance had made of the same; that image
    may have been deleted since."""
    if image.attempt_id or image.credits or image.refunded:
        found = f"{image.attempt}, {image.credits} credits"
        yield Finding("reused_at_a_cost", image.where, "no attempt, no credits", found, REUSED)
    origin = (image.origin_owner, image.origin_key, image.origin_hash)
    if image.origin_id and origin != (image.instance_id, image.stored_key, image.reuse_hash):
        expected = f"the result of an equal image of instance {image.instance_id}"
        found = f"item {image.origin_id} of instance {image.origin_owner}"
        yield Finding("reused_from_another", image.where, expected, found, REUSED)


def _canceled(image: Image) -> Iterator[Finding]:
    """Free, unless Replicate ended what was running there."""
    cost = image.unwanted and image.outcome == COSTLY
    if image.refunded == cost:
        expected = "credits kept" if cost else "credits given back"
        found = f"{image.attempt}, {'' if image.refunded else 'not '}refunded"
        yield Finding("canceled_credits", image.where, expected, found, BOOK)


def _running(image: Image) -> Iterator[Finding]:
    if image.attempt_item != image.id or image.attempt_status == AttemptStatus.ENDED:
        expected = "RUNNING, held by an attempt of its own that has not ended"
        yield Finding("running_without_attempt", image.where, expected, image.attempt, HELD)
