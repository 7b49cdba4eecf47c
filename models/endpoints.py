"""The addresses to which a shop's app wants its webhooks sent, and their signing secrets.

Unlike tokens, secrets are kept as they are: everything that is sent is signed with them.
"""

import base64
import secrets
from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from models import ledger
from models.clock import from_now, now
from models.database import changed, reading, transaction
from models.errors import NotFound, TooManyEndpoints
from models.tables import WebhookDelivery, WebhookEndpoint

MOST = 5
SECRET_BYTES = 32
# How long after a rotation everything is signed with the secret before it too.
OVERLAP_SECONDS = 24 * 3600.0
# So many deliveries go with their endpoint in one transaction.
PAGE = 2_000


@transaction
def create(session: Session, instance_id: int, url: str, events: Sequence[str]) -> WebhookEndpoint:
    """Register an address for these events. Raises `TooManyEndpoints`.

    The lock on the instance makes two requests count one after the other.
    """
    ledger.lock(session, instance_id)
    own = select(func.count()).where(WebhookEndpoint.instance_id == instance_id)
    if session.scalars(own).one() >= MOST:
        raise TooManyEndpoints(f"There are {MOST} endpoints already: delete one first.")
    endpoint = WebhookEndpoint(
        instance_id=instance_id, url=url, events=list(events), secret=_new_secret()
    )
    session.add(endpoint)
    session.flush()
    session.refresh(endpoint)
    return endpoint


@reading
def everyones(session: Session, instance_id: int) -> Sequence[WebhookEndpoint]:
    """All endpoints of an instance, in the order in which they were created."""
    own = select(WebhookEndpoint).where(WebhookEndpoint.instance_id == instance_id)
    return session.scalars(own.order_by(WebhookEndpoint.id)).all()


@reading
def find(session: Session, instance_id: int, endpoint_id: int) -> WebhookEndpoint:
    """One endpoint of an instance; raises `NotFound` also when it is another's."""
    own = select(WebhookEndpoint).where(
        WebhookEndpoint.id == endpoint_id, WebhookEndpoint.instance_id == instance_id
    )
    return _found(session.scalar(own), endpoint_id)


def locked(session: Session, instance_id: int, endpoint_id: int) -> WebhookEndpoint:
    """Lock one endpoint of an instance and return it; raises `NotFound`. The lock lets moves write
    deliveries for it meanwhile."""
    own = select(WebhookEndpoint).where(
        WebhookEndpoint.id == endpoint_id, WebhookEndpoint.instance_id == instance_id
    )
    return _found(session.scalar(own.with_for_update(key_share=True)), endpoint_id)


def _found(endpoint: WebhookEndpoint | None, endpoint_id: int) -> WebhookEndpoint:
    if endpoint is None:
        raise NotFound(f"There is no webhook endpoint {endpoint_id}.")
    return endpoint


@transaction
def change(
    session: Session, /, instance_id: int, endpoint_id: int, **facts: Any
) -> WebhookEndpoint:
    """Change the `url`, the `events`, or whether an endpoint is `enabled`; raises `NotFound`.

    What waits is sent to the new address.
    """
    endpoint = locked(session, instance_id, endpoint_id)
    if "enabled" in facts and facts["enabled"] != endpoint.enabled:
        endpoint.disabled_at = None if facts["enabled"] else now()
    endpoint.url = facts.get("url", endpoint.url)
    endpoint.events = list(facts.get("events", endpoint.events))
    endpoint.version += 1
    session.flush()
    session.refresh(endpoint)
    return endpoint


@transaction
def rotate_secret(session: Session, instance_id: int, endpoint_id: int) -> WebhookEndpoint:
    """Give an endpoint a new secret; raises `NotFound`. For a day everything is signed with the
    one before it too, so that the receiver may change at any moment of it."""
    endpoint = locked(session, instance_id, endpoint_id)
    endpoint.previous_secret, endpoint.secret = endpoint.secret, _new_secret()
    endpoint.previous_secret_until = from_now(OVERLAP_SECONDS)
    endpoint.version += 1
    session.flush()
    session.refresh(endpoint)
    return endpoint


@transaction
def disable(session: Session, endpoint_id: int) -> bool:
    """Send nothing to an endpoint any more, because it said that it is gone."""
    enabled = update(WebhookEndpoint).where(
        WebhookEndpoint.id == endpoint_id, WebhookEndpoint.disabled_at.is_(None)
    )
    gone = {"disabled_at": now(), "version": WebhookEndpoint.version + 1}
    return changed(session, enabled.values(**gone))


def remove(instance_id: int, endpoint_id: int) -> None:
    """Delete an endpoint and whatever was, or was to be, sent there; raises `NotFound`.

    Page by page, and disabled before: moves that write deliveries for it are not kept waiting, and
    one that is broken off is finished by another.
    """
    change(instance_id, endpoint_id, enabled=False)
    while _remove_deliveries(endpoint_id):
        pass
    _remove(endpoint_id)


@transaction
def _remove_deliveries(session: Session, endpoint_id: int) -> bool:
    some = select(WebhookDelivery.id).where(WebhookDelivery.endpoint_id == endpoint_id).limit(PAGE)
    return changed(session, delete(WebhookDelivery).where(WebhookDelivery.id.in_(some)))


@transaction
def _remove(session: Session, endpoint_id: int) -> None:
    """A move that began before may have written one more: it goes by the foreign key."""
    session.execute(delete(WebhookEndpoint).where(WebhookEndpoint.id == endpoint_id))


def _new_secret() -> str:
    return f"whsec_{base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()}"
