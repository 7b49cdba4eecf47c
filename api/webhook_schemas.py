"""The shapes of webhooks to the shops' apps: their endpoints and deliveries."""

from typing import Any

from marshmallow import ValidationError, fields, validate

from api import current
from api.fields import Digits, Few, Moment, StatusList, Text
from api.schemas import Shape
from models import outgoing
from models.tables import DeliveryStatus
from tasks.webhook_urls import LONGEST, PATTERN, fault_of

EVENTS = outgoing.EVENTS
# Examples for the OpenAPI document.
ENDPOINT = {
    "id": 3,
    "url": "https://shop.example/darkroom",
    "events": ["job.completed", "job.failed"],
    "enabled": True,
    "createdAt": "2026-01-31T09:00:00.000Z",
}
WITH_SECRET = ENDPOINT | {"secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}
DELIVERY = {
    "id": 71,
    "endpointId": 3,
    "messageId": "msg_4c1f0a6e2b7d49e8a3f5c6d7e8f90a1b",
    "event": "job.completed",
    "jobId": 12,
    "status": "DELIVERED",
    "attempts": 1,
    "responseStatus": 204,
    "createdAt": "2026-01-31T09:30:20.500Z",
    "finishedAt": "2026-01-31T09:30:20.750Z",
}


def _webhook_url(text: str) -> None:
    if fault := fault_of(text, current.settings().allow_private_webhook_urls):
        raise ValidationError(fault)


class WebhookUrl(Text):
    """An https address that is not of a private network, unless a setting allows both."""

    def __init__(self, **options: Any) -> None:
        super().__init__(LONGEST, PATTERN, validate=[_webhook_url], **options)


class Events(Few):
    """Some of the events, each once."""

    def __init__(self, **options: Any) -> None:
        known = fields.String(validate=validate.OneOf(EVENTS))
        options.setdefault("metadata", {})["uniqueItems"] = True
        super().__init__(known, len(EVENTS), **options)

    def _deserialize(self, *args: Any, **kwargs: Any) -> list[Any]:
        events = super()._deserialize(*args, **kwargs)
        if len(set(events)) < len(events):
            raise ValidationError("Each event may stand there once.")
        return events


class Flag(fields.Boolean):
    """true or false, and nothing that only resembles them."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        if not isinstance(value, bool):
            raise ValidationError("Must be true or false.")
        return super()._deserialize(value, *args, **kwargs)


URL = {
    "description": "https, without a user's name or password, with a host on the public internet.",
    "example": "https://shop.example/darkroom",
}


class EndpointOrderSchema(Shape):
    """Where an app wants to hear of events; of all of them by default."""

    url = WebhookUrl(required=True, metadata=URL)
    events = Events(load_default=lambda: list(EVENTS))


class EndpointChangeSchema(Shape):
    """What is to be changed of an endpoint; what is absent stays."""

    url = WebhookUrl(metadata=URL)
    events = Events()
    enabled = Flag(metadata={"description": "Nothing is sent to an endpoint that is not enabled."})


class EndpointSchema(Shape):
    """An address of an instance's app."""

    id = fields.Integer(required=True, metadata={"minimum": 1})
    url = fields.String(required=True)
    events = fields.List(fields.String(validate=validate.OneOf(EVENTS)), required=True)
    enabled = fields.Boolean(required=True)
    previous_secret_until = Moment(
        metadata={"description": "Until then everything is signed with the secret before it too."}
    )
    created_at = Moment(required=True)
    disabled_at = Moment(
        metadata={"description": "An endpoint that answers 410 is disabled by itself."}
    )


class EndpointSecretSchema(EndpointSchema):
    """An endpoint with what its messages are signed with. It is shown this once."""

    secret = fields.String(required=True, metadata={"pattern": "^whsec_[A-Za-z0-9+/]+=*$"})


class EndpointListSchema(Shape):
    """An instance's endpoints, in the order in which they were registered."""

    endpoints = fields.List(fields.Nested(EndpointSchema), required=True)


class DeliverySchema(Shape):
    """One event for one endpoint, and what became of it."""

    id = fields.Integer(required=True, metadata={"minimum": 1})
    endpoint_id = fields.Integer(required=True, metadata={"minimum": 1})
    message_id = fields.String(
        required=True, metadata={"description": "Its `webhook-id`: the same in every try."}
    )
    event = fields.String(required=True, validate=validate.OneOf([*EVENTS, outgoing.TEST]))
    job_id = fields.Integer(metadata={"minimum": 1})
    item_id = fields.Integer(metadata={"minimum": 1})
    status = fields.String(required=True, validate=validate.OneOf(list(DeliveryStatus)))
    attempts = fields.Integer(required=True, metadata={"minimum": 0})
    next_attempt_at = Moment(metadata={"description": "Only of one that is PENDING."})
    response_status = fields.Integer(metadata={"description": "Of the last try that had one."})
    error = fields.String(metadata={"description": "Why the last try failed."})
    created_at = Moment(required=True)
    finished_at = Moment()


class DeliveriesQuery(Shape):
    """Which deliveries to list."""

    status = StatusList(
        DeliveryStatus,
        metadata={
            "description": "Statuses with commas between them; all of them by default.",
            "pattern": "^({0})(,({0}))*$".format("|".join(DeliveryStatus)),
            "example": "FAILED",
        },
    )
    endpoint_id = Digits(validate=validate.Range(min=1))
    limit = Digits(load_default=20, validate=validate.Range(min=1, max=100))
    cursor = fields.String(
        validate=validate.Length(min=1, max=200),
        metadata={"description": "The `nextCursor` of the page before."},
    )


class DeliveryPageSchema(Shape):
    """A page of deliveries, newest first. `nextCursor` is null on the last one."""

    deliveries = fields.List(fields.Nested(DeliverySchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)
