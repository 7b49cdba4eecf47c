"""What a test or a demo can change about the stand-in while it runs (`/_control/knobs`)."""

from collections import deque
from dataclasses import dataclass, field, replace
from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load
from marshmallow.validate import Length, OneOf, Range

Span = float | list[float]
"""Seconds: one number, or [least, most] to draw from."""

ENDPOINTS = ("create", "get", "cancel", "list", "model", "files", "account", "secret", "output")
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


@dataclass
class Fault:
    """Something that goes wrong at an endpoint, `times` more times (None: always)."""

    endpoint: str = "*"
    phase: str = "before"
    kind: str = "status"
    status: int = 500
    seconds: float = 1.0
    times: int | None = 1
    probability: float = 1.0
    retry_after: int | None = None


@dataclass(frozen=True)
class Throttle:
    """At most `count` creates in `window` seconds; `form` says where a 429 tells when to return.

    `retry_after` (whole seconds) is what it tells; None tells the true time.
    """

    count: int
    window: float
    form: str = "header"
    retry_after: int | None = None


@dataclass(frozen=True)
class Outcome:
    """How a prediction shall end.

    `starting` and `processing` stay so until canceled, or for `seconds` and then succeed;
    `output` shows the finished output meanwhile.
    """

    status: str
    error: str | None = None
    output: bool = False
    seconds: float | None = None


@dataclass(frozen=True)
class WebhookKnobs:
    """Shares from 0 to 1, but `duplicate` (deliveries more) and `late` (seconds).

    `pauses` are the seconds before each redelivery of a final event: Replicate's last a minute.
    """

    duplicate: int = 0
    late: Span = 0.0
    lost: float = 0.0
    early: float = 0.0
    out_of_order: float = 0.0
    bad_signature: float = 0.0
    pauses: list[float] = field(default_factory=lambda: [1.0, 2.0, 4.0, 8.0, 16.0, 30.0])


@dataclass(frozen=True)
class Knobs:
    """All of them, with what holds when nobody turns one."""

    create_latency: Span = 0.0
    start_latency: Span = 0.0
    process_latency: Span = 0.0
    canned_result: bool = False
    throttle: Throttle | None = None
    refuse: int | None = None
    webhooks: WebhookKnobs = field(default_factory=WebhookKnobs)
    faults: tuple[Fault, ...] = ()
    outcomes: deque[Outcome] = field(default_factory=deque)
    retention: float = 3600.0
    output_kind: str = "image"
    seed: int | None = None

    def fresh(self) -> "Knobs":
        """Return a copy with faults and outcomes of its own, because they are used up."""
        faults = tuple(replace(fault) for fault in self.faults)
        return replace(self, faults=faults, outcomes=deque(self.outcomes))


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
