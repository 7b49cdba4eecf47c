"""/api/webhook-endpoints: where an instance's app wants to be told what has ended."""

from collections.abc import Sequence
from typing import Any

from api import current
from api.etags import revalidate
from api.openapi import CACHING, IF_NONE_MATCH, TEXT, Blueprint
from api.webhook_deliveries import LOCATION as DELIVERY_LOCATION
from api.webhook_deliveries import address as delivery_address
from api.webhook_schemas import (
    DELIVERY,
    ENDPOINT,
    WITH_SECRET,
    DeliverySchema,
    EndpointChangeSchema,
    EndpointListSchema,
    EndpointOrderSchema,
    EndpointSchema,
    EndpointSecretSchema,
)
from models import endpoints, outgoing
from models.tables import WebhookDelivery, WebhookEndpoint

blp = Blueprint(
    "webhook-endpoints", "/api/webhook-endpoints", "Be told what has ended.", private=True
)

LOCATION = {"Location": {"description": "Where the endpoint can be changed.", "schema": TEXT}}
OVERLAP = {"previousSecretUntil": "2026-02-01T09:00:00.000Z"}
ORDER = {"url": ENDPOINT["url"], "events": ENDPOINT["events"]}


@blp.route("", methods=["POST"])
@blp.arguments(EndpointOrderSchema, example=ORDER)
@blp.response(201, EndpointSecretSchema, example=WITH_SECRET, headers=LOCATION)
@blp.refuses(409, 413, 415)
def register_endpoint(order: dict[str, Any]) -> tuple[WebhookEndpoint, dict[str, str]]:
    """Register an address; up to 5 of an instance.

    The secret is shown now and never again.
    """
    endpoint = endpoints.create(current.instance(), order["url"], order["events"])
    return endpoint, {"Location": current.url(f"/api/webhook-endpoints/{endpoint.id}")}


@blp.route("", parameters=[IF_NONE_MATCH])
@blp.response(200, EndpointListSchema, example={"endpoints": [ENDPOINT]}, headers=CACHING)
@blp.refuses(304)
def list_endpoints() -> dict[str, Sequence[WebhookEndpoint]]:
    """List the instance's endpoints."""
    found = endpoints.everyones(current.instance())
    revalidate(*((each.id, each.version) for each in found))
    return {"endpoints": found}


@blp.route("/<id:endpoint_id>", parameters=[IF_NONE_MATCH])
@blp.response(200, EndpointSchema, example=ENDPOINT, headers=CACHING)
@blp.refuses(304, 404)
def show_endpoint(endpoint_id: int) -> WebhookEndpoint:
    """Show an endpoint."""
    endpoint = endpoints.find(current.instance(), endpoint_id)
    revalidate(endpoint.id, endpoint.version)
    return endpoint


@blp.route("/<id:endpoint_id>", methods=["PATCH"])
@blp.arguments(EndpointChangeSchema, example={"enabled": True})
@blp.response(200, EndpointSchema, example=ENDPOINT)
@blp.refuses(404, 413, 415)
def change_endpoint(changes: dict[str, Any], endpoint_id: int) -> WebhookEndpoint:
    """Change an endpoint.

    What waits to be sent goes to the new address.
    """
    return endpoints.change(current.instance(), endpoint_id, **changes)


@blp.route("/<id:endpoint_id>", methods=["DELETE"])
@blp.response(204, description="It is deleted, and its deliveries with it.")
@blp.refuses(404)
def delete_endpoint(endpoint_id: int) -> None:
    """Delete an endpoint and its deliveries, also those that wait to be sent."""
    endpoints.remove(current.instance(), endpoint_id)


@blp.route("/<id:endpoint_id>/rotate-secret", methods=["POST"])
@blp.response(200, EndpointSecretSchema, example=WITH_SECRET | OVERLAP)
@blp.refuses(404)
def rotate_secret(endpoint_id: int) -> WebhookEndpoint:
    """Give an endpoint a new secret, shown now and never again.

    For a day everything is signed with the one before it too.
    """
    return endpoints.rotate_secret(current.instance(), endpoint_id)


@blp.route("/<id:endpoint_id>/test", methods=["POST"])
@blp.response(
    202,
    DeliverySchema,
    example=DELIVERY | {"event": outgoing.TEST, "status": "PENDING"},
    headers=DELIVERY_LOCATION,
)
@blp.refuses(404, 409)
def test_endpoint(endpoint_id: int) -> tuple[WebhookDelivery, dict[str, str]]:
    """Send a `test` to an endpoint, once."""
    delivery = outgoing.send_test(current.instance(), endpoint_id)
    return delivery, {"Location": delivery_address(delivery)}
