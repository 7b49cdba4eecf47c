"""Webhooks to the shops' apps: what there is to tell, written where it happens.

A delivery is a row of the transaction that makes an image or a job final: what happened is told,
and nothing else is. Sending it is `models.sending` and `tasks.deliver`; here it is only written,
shown, and, when somebody asks for that, sent again.
"""

import secrets
from collections.abc import Iterator, Sequence

from flask import g
from sqlalchemy import Select, select, union_all
from sqlalchemy.orm import Session

from models import endpoints
from models.clock import now
from models.database import reading, transaction
from models.errors import EndpointDisabled, NotFound
from models.tables import DeliveryStatus, Item, Job, Status, WebhookDelivery, WebhookEndpoint

WORDS = {Status.DONE: "completed", Status.FAILED: "failed", Status.CANCELED: "canceled"}
# What an endpoint may ask for; besides, each gets the tests that its owner asks for.
EVENTS = tuple(f"{what}.{word}" for what in ("item", "job") for word in WORDS.values())
TEST = "test"
_WRITTEN = "darkroom_deliveries_written"


def record(session: Session, job: Job, items: Sequence[Item], status: Status) -> None:
    """Write a delivery to each endpoint that wants to hear that `items` of a locked job have
    become final, and that the job has, if so. Without endpoints this is one look at an index.

    The endpoints are kept from being deleted until the commit: the move must not fail for one.
    """
    enabled = select(WebhookEndpoint.id, WebhookEndpoint.events).where(
        WebhookEndpoint.instance_id == job.instance_id, WebhookEndpoint.disabled_at.is_(None)
    )
    kept = enabled.order_by(WebhookEndpoint.id).with_for_update(read=True, key_share=True)
    happened = list(_happened(job, items, status))
    for endpoint_id, wanted in session.execute(kept):
        for event, item_id in happened:
            if event in wanted:
                _write(session, job.instance_id, endpoint_id, event, job.id, item_id)


def _happened(job: Job, items: Sequence[Item], status: Status) -> Iterator[tuple[str, int | None]]:
    for item in items:
        yield f"item.{WORDS[status]}", item.id
    if job.status in WORDS:
        yield f"job.{WORDS[job.status]}", None


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
