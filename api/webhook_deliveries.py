"""/api/webhook-deliveries: what was sent to an instance's app, and what became of it."""

from collections.abc import Sequence
from typing import Any

from api import current, cursors
from api.etags import revalidate
from api.openapi import CACHING, IF_NONE_MATCH, TEXT, Blueprint
from api.webhook_schemas import DELIVERY, DeliveriesQuery, DeliveryPageSchema, DeliverySchema
from models import outgoing
from models.tables import DeliveryStatus, WebhookDelivery

blp = Blueprint("webhook-deliveries", "/api/webhook-deliveries", "See what was told.", private=True)

LOCATION = {"Location": {"description": "Where the delivery can be followed.", "schema": TEXT}}
WAITING = {
    "status": "PENDING",
    "nextAttemptAt": "2026-01-31T09:30:20.500Z",
}


@blp.route("", parameters=[IF_NONE_MATCH])
@blp.arguments(DeliveriesQuery, location="query")
@blp.response(
    200,
    DeliveryPageSchema,
    example={"deliveries": [DELIVERY], "nextCursor": None},
    headers=CACHING,
)
@blp.refuses(304)
def list_deliveries(query: dict[str, Any]) -> dict[str, Any]:
    """List deliveries, newest first. They are kept for 30 days."""
    found, next_cursor = _page(**query)
    revalidate(query, next_cursor, *map(_version, found))
    return {"deliveries": found, "next_cursor": next_cursor}


@blp.route("/<id:delivery_id>", parameters=[IF_NONE_MATCH])
@blp.response(200, DeliverySchema, example=DELIVERY, headers=CACHING)
@blp.refuses(304, 404)
def show_delivery(delivery_id: int) -> WebhookDelivery:
    """Show a delivery."""
    delivery = outgoing.delivery(current.instance(), delivery_id)
    revalidate(*_version(delivery))
    return delivery


@blp.route("/<id:delivery_id>/resend", methods=["POST"])
@blp.response(202, DeliverySchema, example=DELIVERY | WAITING, headers=LOCATION)
@blp.refuses(404, 409)
def resend_delivery(delivery_id: int) -> tuple[WebhookDelivery, dict[str, str]]:
    """Send a delivery again at once, with the same `webhook-id`, whatever became of it."""
    delivery = outgoing.resend(current.instance(), delivery_id)
    return delivery, {"Location": address(delivery)}


def address(delivery: WebhookDelivery) -> str:
    """Where a delivery can be followed."""
    return current.url(f"/api/webhook-deliveries/{delivery.id}")


def _page(
    limit: int,
    status: Sequence[DeliveryStatus] = tuple(DeliveryStatus),
    endpoint_id: int | None = None,
    cursor: str | None = None,
) -> tuple[Sequence[WebhookDelivery], str | None]:
    """One more than asked for is read: it tells whether there is a next page."""
    before = int(cursors.read("deliveries", cursor)) if cursor else None
    found = outgoing.deliveries(current.instance(), status, endpoint_id, before, limit + 1)
    page, more = found[:limit], found[limit:]
    return page, cursors.write("deliveries", page[-1].id) if more else None


def _version(delivery: WebhookDelivery) -> tuple[object, ...]:
    """What changes with every try, and whenever somebody sends it again."""
    moment = delivery.next_attempt_at or delivery.finished_at
    return delivery.id, delivery.status, delivery.attempts, str(moment)
