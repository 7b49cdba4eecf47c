"""A shop's app that is told of its images, and what makes them final at once."""

import json
import secrets
from collections.abc import Sequence
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session
from standardwebhooks.webhooks import Webhook

from models import endpoints, lifecycle
from models.clock import from_now
from models.database import db, reading
from models.outgoing import EVENTS
from models.tables import DeliveryStatus, WebhookDelivery, WebhookEndpoint
from tests.scripted_server import ScriptedServer
from tests.shop import DEADLINE


def listen(shop: int, url: str, *events: str) -> WebhookEndpoint:
    """Have a shop told of these events, or of all of them, at an address."""
    return endpoints.create(shop, url, events or EVENTS)


def finish_next() -> None:
    """Make the image whose turn it is DONE."""
    turn = lifecycle.claim_next(DEADLINE)
    assert turn
    assert lifecycle.finish(turn.attempt_id, f"{secrets.token_hex(16)}.jpg", "image/jpeg")


def fail_next() -> None:
    """Make the image whose turn it is FAILED."""
    turn = lifecycle.claim_next(DEADLINE)
    assert turn
    assert lifecycle.fail(turn.attempt_id, "model_failed", refund=False)


@reading
def rows(session: Session) -> Sequence[WebhookDelivery]:
    """Every delivery, as it is now, in the order in which they were written."""
    return session.scalars(select(WebhookDelivery).order_by(WebhookDelivery.id)).all()


def events(endpoint: WebhookEndpoint) -> list[str]:
    """The events that were written for an endpoint."""
    return [each.event for each in rows() if each.endpoint_id == endpoint.id]


def let_pauses_pass() -> None:
    """Shift time: what waits for its next try is due now."""
    waiting = update(WebhookDelivery).where(WebhookDelivery.status == DeliveryStatus.PENDING)
    db.session.execute(waiting.values(next_attempt_at=from_now(-1)))
    db.session.commit()


def heard(app: ScriptedServer, secret: str) -> list[dict[str, Any]]:
    """What came, each verified with the secret as a receiver does it."""
    for request in app.requests:
        assert request.headers["content-type"] == "application/json"
        Webhook(secret).verify(request.body, request.headers)
    return [json.loads(request.body) for request in app.requests]


def ids(app: ScriptedServer) -> list[str]:
    """The `webhook-id`s that came."""
    return [request.headers["webhook-id"] for request in app.requests]
