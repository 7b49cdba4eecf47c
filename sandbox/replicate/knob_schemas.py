"""The knobs as JSON: what `/_control/knobs` takes and shows."""

from collections import deque
from dataclasses import replace
from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load
from marshmallow.validate import Length, OneOf, Range

from sandbox.replicate.knobs import Fault, Knobs, Outcome, Span, Throttle

ENDPOINTS = (
    "create",
    "get",
    "cancel",
    "list",
    "stream",
    "model",
    "files",
    "account",
    "secret",
    "output",
)
KINDS = (
    "status",
    "delay",
    "reset",
    "close",
    "truncated",
    "garbage",
    "not_json",
    "not_an_object",
    "schema_drift",
    "drip",
)
OUTPUTS = ("image", "not_an_image", "empty", "huge", "html", "wrong_type", "truncated")


class Seconds(fields.Field[Any]):
    """A number, or a list of the least and the most."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Span:
        ends = value if isinstance(value, list) else [value, value]
        numbers = [end for end in ends if type(end) in {int, float} and 0 <= end <= 86_400]
        if len(numbers) != 2 or len(ends) != 2 or numbers[0] > numbers[1]:
            raise ValidationError("Seconds from 0 to 86400, or [least, most].")
        return value if isinstance(value, list) else float(value)


def _share() -> fields.Float:
    return fields.Float(validate=Range(0, 1))


class FaultSchema(Schema):
    """One fault; everything may be left out."""

    endpoint = fields.String(validate=OneOf(("*", *ENDPOINTS)))
    phase = fields.String(validate=OneOf(("before", "after")))
    kind = fields.String(validate=OneOf(KINDS))
    status = fields.Integer(validate=Range(300, 599))
    seconds = fields.Float(validate=Range(0, 3600))
    times = fields.Integer(allow_none=True, validate=Range(0))
    probability = _share()
    retry_after = fields.Integer(allow_none=True, validate=Range(0))

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Fault:
        return Fault(**data)


class ThrottleSchema(Schema):
    """The stand-in's own rate limit."""

    count = fields.Integer(required=True, validate=Range(0))
    window = fields.Float(required=True, validate=Range(0.001, 3600))
    form = fields.String(validate=OneOf(("header", "body", "text")))
    retry_after = fields.Integer(allow_none=True, validate=Range(0))

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Throttle:
        return Throttle(**data)


class OutcomeSchema(Schema):
    """How one of the next predictions ends."""

    status = fields.String(
        required=True,
        validate=OneOf(("starting", "processing", "succeeded", "failed", "canceled", "aborted")),
    )
    error = fields.String(allow_none=True)
    output = fields.Boolean()
    seconds = fields.Float(allow_none=True, validate=Range(0, 86_400))

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Outcome:
        return Outcome(**data)


class WebhookSchema(Schema):
    """What happens to webhooks on their way."""

    duplicate = fields.Integer(validate=Range(0, 10))
    late = Seconds()
    lost = _share()
    early = _share()
    out_of_order = _share()
    bad_signature = _share()
    pauses = fields.List(fields.Float(validate=Range(0, 3600)), validate=Length(max=20))


class KnobsSchema(Schema):
    """A part of the knobs, as JSON; unknown names are refused."""

    create_latency = Seconds()
    start_latency = Seconds()
    process_latency = Seconds()
    canned_result = fields.Boolean()
    throttle = fields.Nested(ThrottleSchema, allow_none=True)
    refuse = fields.Integer(allow_none=True, validate=OneOf((401, 402)))
    webhooks = fields.Nested(WebhookSchema)
    faults = fields.List(fields.Nested(FaultSchema))
    outcomes = fields.List(fields.Nested(OutcomeSchema))
    retention = fields.Float(validate=Range(0))
    output_kind = fields.String(validate=OneOf(OUTPUTS))
    seed = fields.Integer(allow_none=True)


def turned(knobs: Knobs, changes: object) -> Knobs:
    """Return the knobs with these changes; raises marshmallow's `ValidationError`."""
    if not isinstance(changes, dict):
        raise ValidationError("The knobs are an object.")
    loaded: dict[str, Any] = dict(KnobsSchema().load(changes))
    if "webhooks" in loaded:
        loaded["webhooks"] = replace(knobs.webhooks, **loaded["webhooks"])
    if "faults" in loaded:
        loaded["faults"] = tuple(loaded["faults"])
    if "outcomes" in loaded:
        loaded["outcomes"] = deque(loaded["outcomes"])
    return replace(knobs, **loaded)


def as_json(knobs: Knobs) -> dict[str, Any]:
    """Return the knobs as they are now, with what is left of faults and outcomes."""
    shown: dict[str, Any] = dict(KnobsSchema().dump(knobs))
    return shown
