"""Webhooks to the shops' apps: what there is to tell, written where it happens.

A delivery is a row of the transaction that makes an image or a job final: what happened is told,
and nothing else is. Sending it is `models.sending` and `tasks.deliver`; here it is only written,
shown, and, when somebody asks for that, sent again.
"""

import secrets
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from flask import g
from sqlalchemy import Select, bindparam, exists, select, union_all
from sqlalchemy.orm import Session

from models import endpoints
from models.clock import now
from models.database import reading, transaction
from models.errors import EndpointDisabled, NotFound
from models.tables import (
    ENDPOINTS,
    JOBS,
    DeliveryStatus,
    Status,
    WebhookDelivery,
    WebhookEndpoint,
)

WORDS = {Status.DONE: "completed", Status.FAILED: "failed", Status.CANCELED: "canceled"}
# What an endpoint may ask for; besides, each gets the tests that its owner asks for.
EVENTS = tuple(f"{what}.{word}" for what in ("item", "job") for word in WORDS.values())
TEST = "test"
_WRITTEN = "darkroom_deliveries_written"


_E = ENDPOINTS.c
# Whether anybody listens to what happens to the job of a row.
LISTENED_TO = (
    exists().where(_E.instance_id == JOBS.c.instance_id, _E.disabled_at.is_(None)).correlate(JOBS)
)
_LISTENERS = (
    select(_E.id, _E.events)
    .where(_E.instance_id == bindparam("instance"), _E.disabled_at.is_(None))
    .order_by(_E.id)
    .with_for_update(read=True, key_share=True)
)


class Happened(NamedTuple):
    """What is to be told: `items` of a locked job have become `status`, and now the job is
    `job_status`."""

    instance_id: int
    job_id: int
    job_status: Status
    items: Sequence[int]
    status: Status

    def events(self) -> Iterator[tuple[str, int | None]]:
        """Each event, with the item that it is about."""
        for item_id in self.items:
            yield f"item.{WORDS[self.status]}", item_id
        if self.job_status in WORDS:
            yield f"job.{WORDS[self.job_status]}", None


def record(session: Session, happened: Happened) -> None:
    """Write a delivery to each endpoint that wants to hear of it. Without endpoints this is one
    look at an index.

    The endpoints are kept from being deleted until the commit: the move must not fail for one.
    """
    events = list(happened.events())
    for endpoint_id, wanted in session.execute(_LISTENERS, {"instance": happened.instance_id}):
        for event, item_id in events:
            if event in wanted:
                _write(session, happened.instance_id, endpoint_id, event, happened.job_id, item_id)


def _write(
    session: Session,
    instance_id: int,
    endpoint_id: int,
    event: str,
    job_id: int | None = None,
    item_id: int | None = None,
) -> WebhookDelivery:
    delivery = WebhookDelivery(
        endpoint_id=endpoint_id,
        instance_id=instance_id,
        message_id=f"msg_{secrets.token_hex(16)}",
        event=event,
        job_id=job_id,
        item_id=item_id,
        next_attempt_at=now(),
    )
    session.add(delivery)
    _remember()
    return delivery


def _remember() -> None:
    setattr(g, _WRITTEN, True)


def written() -> bool:
    """Whether something to be sent was written in this application context since last asked.

    Whoever opened the context asks after the commit, and wakes a housekeeper. Nothing is lost when
    nobody does, or when the transaction was undone: the sweep looks at the rows.
    """
    return bool(g.pop(_WRITTEN, False))


@transaction
def send_test(session: Session, instance_id: int, endpoint_id: int) -> WebhookDelivery:
    """Have a `test` sent to an endpoint.

    Raises `NotFound` also for another instance's endpoint, and `EndpointDisabled`.
    """
    endpoint = endpoints.locked(session, instance_id, endpoint_id)
    _unless_disabled(endpoint)
    delivery = _write(session, instance_id, endpoint.id, TEST)
    session.flush()
    session.refresh(delivery)
    return delivery


@transaction
def resend(session: Session, instance_id: int, delivery_id: int) -> WebhookDelivery:
    """Have a delivery sent again at once, whatever became of it: one try more, and then what is
    left of its pauses.

    Raises `NotFound` also for another instance's delivery, and `EndpointDisabled`.
    """
    own = select(WebhookDelivery).where(
        WebhookDelivery.id == delivery_id, WebhookDelivery.instance_id == instance_id
    )
    delivery = session.scalar(own.with_for_update(key_share=True))
    if delivery is None:
        raise NotFound(f"There is no delivery {delivery_id}.")
    _unless_disabled(session.get_one(WebhookEndpoint, delivery.endpoint_id))
    delivery.status, delivery.finished_at = DeliveryStatus.PENDING, None
    delivery.next_attempt_at = now()
    _remember()
    session.flush()
    session.refresh(delivery)
    return delivery


def _unless_disabled(endpoint: WebhookEndpoint) -> None:
    if not endpoint.enabled:
        raise EndpointDisabled("This endpoint is disabled: enable it first.")


@reading
def delivery(session: Session, instance_id: int, delivery_id: int) -> WebhookDelivery:
    """One delivery of an instance; raises `NotFound` also when it is another's."""
    own = select(WebhookDelivery).where(
        WebhookDelivery.id == delivery_id, WebhookDelivery.instance_id == instance_id
    )
    found = session.scalar(own)
    if found is None:
        raise NotFound(f"There is no delivery {delivery_id}.")
    return found


@reading
def deliveries(
    session: Session,
    instance_id: int,
    statuses: Sequence[DeliveryStatus] = tuple(DeliveryStatus),
    endpoint_id: int | None = None,
    before: int | None = None,
    limit: int = 20,
) -> Sequence[WebhookDelivery]:
    """A page of an instance's deliveries, or of one endpoint's, newest first: those with an id
    below `before`. Like `reports.jobs` it costs the same with any number of them."""
    newest = union_all(
        *(_newest(instance_id, endpoint_id, status, before, limit) for status in statuses)
    ).subquery()
    page = select(newest.c.id).order_by(newest.c.id.desc()).limit(limit)
    shown = select(WebhookDelivery).where(WebhookDelivery.id.in_(page))
    return session.scalars(shown.order_by(WebhookDelivery.id.desc())).all()


def _newest(
    instance_id: int,
    endpoint_id: int | None,
    status: DeliveryStatus,
    before: int | None,
    limit: int,
) -> Select[tuple[int]]:
    own = select(WebhookDelivery.id).where(
        WebhookDelivery.instance_id == instance_id, WebhookDelivery.status == status
    )
    if endpoint_id is not None:
        own = own.where(WebhookDelivery.endpoint_id == endpoint_id)
    if before is not None:
        own = own.where(WebhookDelivery.id < before)
    return select(own.order_by(WebhookDelivery.id.desc()).limit(limit).subquery().c.id)
