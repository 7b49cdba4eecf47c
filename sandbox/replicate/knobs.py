"""What a test or a demo can change about the stand-in while it runs (`/_control/knobs`)."""

from collections import deque
from dataclasses import dataclass, field, replace

Span = float | list[float]
"""Seconds: one number, or [least, most] to draw from."""


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
