"""Counting the calls to Replicate in Redis, where `/metrics` reads them: no process keeps any.

When Redis loses its memory the counters begin again at 0, which Prometheus takes for a restart.
"""

from dataclasses import dataclass
from itertools import accumulate
from typing import Literal, get_args

import redis
import structlog

from tasks.provider_errors import OUTCOMES

log = structlog.get_logger(__name__)

KEY = "darkroom:replicate-call-times"
UNKNOWN_KEY = "darkroom:unknown-predictions"
TRIES_KEY = "darkroom:webhook-tries"
BUCKETS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
LONGER = "longer"

Function = Literal[
    "create_prediction",
    "get_prediction",
    "cancel_prediction",
    "list_predictions",
    "get_account",
    "get_webhook_secret",
    "create_file",
]
# These are shown before there was one: a rate never sees the event that a counter began with. Of
# creates every end matters, of what can be asked again only that it works.
SHOWN = {
    *(("create_prediction", outcome) for outcome in OUTCOMES),
    *((function, "ok") for function in get_args(Function)),
}
# How a try of a webhook to a shop's app may end.
TRIES = ("delivered", "retried", "failed")


@dataclass(frozen=True, slots=True)
class CallFacts:
    """The calls of one function that ended in one way. `buckets[i]` counts those that took at most
    `BUCKETS[i]` seconds (cumulative), `seconds` is their sum."""

    function: str
    outcome: str
    count: int
    seconds: float
    buckets: tuple[int, ...]


class CallCounter:
    """Counts calls; what it cannot count is a line in the log, never an error of the call.

    A call is counted in the one bucket that it falls into; whoever reads them adds up.
    """

    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def __call__(self, function: str, outcome: str, seconds: float) -> None:
        """Count one call."""
        bucket = next((bound for bound in BUCKETS if seconds <= bound), LONGER)
        pipeline = self._client.pipeline(transaction=False)
        pipeline.hincrby(KEY, f"{function}|{outcome}|{bucket}", 1)
        pipeline.hincrbyfloat(KEY, f"{function}|{outcome}|seconds", seconds)
        try:
            pipeline.execute()
        except redis.RedisError as error:
            log.warning("call not counted", function=function, outcome=outcome, error=str(error))


def tell_unknown(client: redis.Redis, predictions: int) -> None:
    """Write down how many predictions on the account were nobody's at the last look."""
    try:
        client.set(UNKNOWN_KEY, predictions)
    except redis.RedisError as error:
        log.warning("unknown predictions not told", number=predictions, error=str(error))


def read_unknown(client: redis.Redis) -> int:
    """How many predictions on the account were nobody's at the last look; 0 before the first."""
    return int(client.get(UNKNOWN_KEY) or 0)


def count_try(client: redis.Redis, outcome: str) -> None:
    """Count one try of a webhook to a shop's app."""
    try:
        client.hincrby(TRIES_KEY, outcome, 1)
    except redis.RedisError as error:
        log.warning("webhook not counted", outcome=outcome, error=str(error))


def read_tries(client: redis.Redis) -> dict[str, int]:
    """The tries of webhooks that were counted, by outcome."""
    counted = {_text(name): int(value) for name, value in client.hgetall(TRIES_KEY).items()}
    return {outcome: counted.get(outcome, 0) for outcome in TRIES}


def read_calls(client: redis.Redis) -> list[CallFacts]:
    """All calls that were counted, and those of `SHOWN`, by function and outcome."""
    fields = {_text(name): _text(value) for name, value in client.hgetall(KEY).items()}
    counted = {(function, outcome) for function, outcome, _ in (n.split("|") for n in fields)}
    return [_facts(fields, *kind) for kind in sorted(SHOWN | counted)]


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value


def _facts(fields: dict[str, str], function: str, outcome: str) -> CallFacts:
    def told(what: float | str) -> str:
        return fields.get(f"{function}|{outcome}|{what}", "0")

    up_to = tuple(accumulate(int(told(bound)) for bound in BUCKETS))
    return CallFacts(
        function=function,
        outcome=outcome,
        count=up_to[-1] + int(told(LONGER)),
        seconds=float(told("seconds")),
        buckets=up_to,
    )
