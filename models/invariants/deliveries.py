"""Each webhook against its endpoint and against what it tells of: no shop hears of another's."""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import exists, select
from sqlalchemy.orm import Session, aliased

from models.database import snapshot
from models.invariants.pages import Finding, Page, Start, span
from models.outgoing import TEST, WORDS
from models.tables import DeliveryStatus, Item, Job, Status, WebhookDelivery, WebhookEndpoint

DELETE = "Delete the row before it is sent: it would tell a shop what is not its own, or not true."
NEVER = "Nothing sends it, or it is sent although it has ended: set the row right, or delete it."

_twin = aliased(WebhookDelivery)
TWICE = exists().where(
    _twin.job_id == WebhookDelivery.job_id,
    _twin.endpoint_id == WebhookDelivery.endpoint_id,
    _twin.event == WebhookDelivery.event,
    _twin.item_id.is_not_distinct_from(WebhookDelivery.item_id),
    _twin.id < WebhookDelivery.id,
)


class Told(NamedTuple):
    """What is compared. The last five are None where there is no such row."""

    id: int
    instance_id: int
    event: str
    status: DeliveryStatus
    next_attempt_at: datetime | None
    finished_at: datetime | None
    twice: bool
    endpoint_owner: int | None
    job_owner: int | None
    job: Status | None
    item_owner: int | None
    item: Status | None

    @property
    def where(self) -> str:
        """How a finding names it."""
        return f"webhook delivery {self.id} ({self.event}) of instance {self.instance_id}"


COLUMNS = (
    WebhookDelivery.id, WebhookDelivery.instance_id, WebhookDelivery.event,
    WebhookDelivery.status, WebhookDelivery.next_attempt_at, WebhookDelivery.finished_at, TWICE,
    WebhookEndpoint.instance_id, Job.instance_id, Job.status, Item.instance_id, Item.status,
)  # fmt: skip


@snapshot
def deliveries(session: Session, after: Start) -> Page:
    """Each is of its endpoint's instance, as are its job and its image, and tells the truth of
    them, once. It has a next try exactly while it waits."""
    page = span(session, WebhookDelivery.id, after)
    rows = session.execute(
        select(*COLUMNS)
        .outerjoin(WebhookEndpoint, WebhookEndpoint.id == WebhookDelivery.endpoint_id)
        .outerjoin(Job, Job.id == WebhookDelivery.job_id)
        .outerjoin(
            Item, (Item.id == WebhookDelivery.item_id) & (Item.job_id == WebhookDelivery.job_id)
        )
        .where(page.holds(WebhookDelivery.id))
        .order_by(WebhookDelivery.id)
    )
    return page.page([finding for row in rows for finding in _findings(Told._make(row))])


def _findings(told: Told) -> Iterator[Finding]:
    if told.endpoint_owner != told.instance_id:
        found = f"one of instance {told.endpoint_owner}"
        yield Finding("delivery_owner", told.where, "an endpoint of this instance", found, DELETE)
    if told.twice:
        expected = "an event that no other one tells this endpoint"
        yield Finding("delivery_twice", told.where, expected, "two", DELETE)
    if told.event != TEST:
        yield from _truth(told)
    waits = told.status == DeliveryStatus.PENDING
    if waits != (told.next_attempt_at is not None) or waits != (told.finished_at is None):
        expected = "a next try while it waits, else when it ended"
        found = f"{told.status}, next {told.next_attempt_at}, ended {told.finished_at}"
        yield Finding("delivery_state", told.where, expected, found, NEVER)


def _truth(told: Told) -> Iterator[Finding]:
    what, _, word = told.event.partition(".")
    owner, status = (told.item_owner, told.item) if what == "item" else (told.job_owner, told.job)
    if told.job_owner != told.instance_id or owner != told.instance_id:
        found = f"one of instance {owner}, its job of instance {told.job_owner}"
        yield Finding("delivery_subject", told.where, f"this instance's {what}", found, DELETE)
    elif status is None or WORDS.get(status) != word:
        yield Finding("delivery_truth", told.where, f"the {what} {word}", f"{status}", DELETE)
