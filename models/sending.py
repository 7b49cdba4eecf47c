"""Sending webhooks: which delivery is due, and what becomes of each try.

Nobody owns a delivery. Its tries are numbered like the checks of predictions, and whoever takes the
next number sends; while that one is under way the delivery is due again only later, in case its
sender dies. So a webhook may come twice, with the same id, and is never lost.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Update, delete, func, select, update
from sqlalchemy.orm import Session

from models.clock import age, from_now, now
from models.database import changed, reading, transaction
from models.tables import (
    DeliveryStatus,
    Instance,
    Item,
    Job,
    WebhookDelivery,
    WebhookEndpoint,
)

KEPT_SECONDS = 30 * 86_400.0


@dataclass(frozen=True, slots=True)
class Try:
    """One try of a delivery: what is to be sent, where, and signed with which secrets.

    `number` counts its tries, this one too. `at` is now by the database's clock. `wanted`: neither
    the endpoint nor its instance is disabled. The job and the item are None where there is none."""

    delivery_id: int
    number: int
    message_id: str
    event: str
    happened_at: datetime
    at: datetime
    instance_id: int
    endpoint_id: int
    url: str
    secrets: tuple[str, ...]
    wanted: bool
    job: Job | None
    item: Item | None


def _is_due() -> ColumnElement[bool]:
    """The index holds PENDING ones only: they alone have a next try."""
    return (WebhookDelivery.status == DeliveryStatus.PENDING) & (
        WebhookDelivery.next_attempt_at <= now()
    )


@reading
def next_due(session: Session, busy: Collection[int] = ()) -> tuple[int, int] | None:
    """The delivery that is due for longest, with the number of its next try: of the instances that
    are not `busy`. None when there is none."""
    due = select(WebhookDelivery.id, WebhookDelivery.attempts + 1).where(
        _is_due(), WebhookDelivery.instance_id.not_in(busy)
    )
    oldest = due.order_by(WebhookDelivery.next_attempt_at, WebhookDelivery.id).limit(1)
    row = session.execute(oldest).one_or_none()
    return row and (row[0], row[1])


@transaction
def take(session: Session, delivery_id: int, number: int, again_in: float) -> Try | None:
    """Take the right to make the `number`-th try of a delivery.

    None: somebody else took it, or it has ended. If nothing is heard of this try, the next one is
    due in `again_in` seconds.
    """
    next_one = _open(delivery_id, number - 1)
    if not changed(session, next_one.values(attempts=number, next_attempt_at=from_now(again_in))):
        return None
    overlap = WebhookEndpoint.previous_secret_until > now()
    facts = (
        select(WebhookDelivery, WebhookEndpoint, Instance.disabled_at, now(), overlap)
        .join(WebhookEndpoint, WebhookEndpoint.id == WebhookDelivery.endpoint_id)
        .join(Instance, Instance.id == WebhookDelivery.instance_id)
    )
    row = session.execute(facts.where(WebhookDelivery.id == delivery_id)).one()
    return _try(session, *row)


def _try(
    session: Session,
    delivery: WebhookDelivery,
    endpoint: WebhookEndpoint,
    disabled_at: datetime | None,
    at: datetime,
    overlap: bool | None,
) -> Try:
    before = endpoint.previous_secret if overlap else None
    return Try(
        delivery_id=delivery.id,
        number=delivery.attempts,
        message_id=delivery.message_id,
        event=delivery.event,
        happened_at=delivery.created_at,
        at=at,
        instance_id=delivery.instance_id,
        endpoint_id=endpoint.id,
        url=endpoint.url,
        secrets=(endpoint.secret, before) if before else (endpoint.secret,),
        wanted=endpoint.enabled and disabled_at is None,
        job=session.get(Job, delivery.job_id) if delivery.job_id else None,
        item=session.get(Item, delivery.item_id) if delivery.item_id else None,
    )


@transaction
def arrived(session: Session, delivery_id: int, number: int, status: int) -> bool:
    """Record that a try was accepted with this HTTP status; False: the delivery went on without
    it."""
    ended = {"status": DeliveryStatus.DELIVERED, "next_attempt_at": None, "finished_at": now()}
    told = {"response_status": status, "error": None}
    return changed(session, _open(delivery_id, number).values(**ended, **told))


@transaction
def missed(
    session: Session,
    delivery_id: int,
    number: int,
    error: str,
    status: int | None = None,
    again_in: float | None = None,
) -> bool:
    """Record why a try failed, and the HTTP status if there was one. The next is due in `again_in`
    seconds; None: it was the last, and the delivery has FAILED. False: it went on without it."""
    told = {"response_status": status, "error": error}
    return changed(session, _open(delivery_id, number).values(**told, **_fate(again_in)))


def _fate(again_in: float | None) -> Mapping[str, Any]:
    if again_in is None:
        return {
            "status": DeliveryStatus.FAILED,
            "next_attempt_at": None,
            "finished_at": now(),
        }
    return {"next_attempt_at": from_now(again_in)}


def _open(delivery_id: int, number: int) -> Update:
    """The compare: a delivery that is not final, and of which so many tries were taken."""
    return update(WebhookDelivery).where(
        WebhookDelivery.id == delivery_id,
        WebhookDelivery.status == DeliveryStatus.PENDING,
        WebhookDelivery.attempts == number,
    )


@transaction
def spare(session: Session, endpoint_id: int, but: int, seconds: float) -> None:
    """Leave an endpoint alone for so long: what is due there sooner waits, `but` for one delivery.

    Each try of an endpoint that hangs holds a thread, and a thousand deliveries may wait for it.
    """
    sooner = update(WebhookDelivery).where(
        WebhookDelivery.endpoint_id == endpoint_id,
        WebhookDelivery.status == DeliveryStatus.PENDING,
        WebhookDelivery.next_attempt_at < from_now(seconds),
        WebhookDelivery.id != but,
    )
    session.execute(sooner.values(next_attempt_at=from_now(seconds)))


@reading
def due(session: Session, limit: int) -> int:
    """How many deliveries could be sent now, counted up to `limit`."""
    some = select(WebhookDelivery.id).where(_is_due()).limit(limit).subquery()
    return session.scalars(select(func.count()).select_from(some)).one()


@reading
def pending(session: Session) -> int:
    """How many deliveries are to be sent, now or later."""
    waiting = WebhookDelivery.status == DeliveryStatus.PENDING
    # What waits has a next try; without that SQLite would count in an index of all deliveries.
    counted = select(func.count()).where(waiting, WebhookDelivery.next_attempt_at.is_not(None))
    return session.scalars(counted).one()


@reading
def late_by(session: Session) -> float:
    """For how many seconds the next try of some delivery has been due; 0 when none is."""
    oldest = select(age(WebhookDelivery.next_attempt_at)).where(_is_due())
    return session.scalar(oldest.order_by(WebhookDelivery.next_attempt_at).limit(1)) or 0.0


@transaction
def forget_old(session: Session, limit: int = 1_000) -> bool:
    """Delete those of the `limit` oldest deliveries that are past their 30 days; False when there
    were none. Ids grow with time: behind a younger one there are only younger ones."""
    past = WebhookDelivery.created_at < from_now(-KEPT_SECONDS)
    oldest = select(func.min(WebhookDelivery.id)).scalar_subquery()
    if not session.scalar(select(past).where(WebhookDelivery.id == oldest)):
        return False
    some = select(WebhookDelivery.id, past.label("past"))
    page = some.order_by(WebhookDelivery.id).limit(limit).subquery()
    old = select(page.c.id).where(page.c.past)
    return changed(session, delete(WebhookDelivery).where(WebhookDelivery.id.in_(old)))
