"""What Prometheus reads, fetched from the database and from Redis at each scrape.

Nothing is counted in a process: any number of them may come and go, and each tells the same.
"""

import math
from collections.abc import Iterable, Iterator

import redis
from prometheus_client import CollectorRegistry
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from models import controls, following, invariants, ledger, reports, sending
from tasks.limiter import Limiter, LimiterUnavailable
from tasks.measure import BUCKETS, CallFacts, read_calls, read_tries, read_unknown
from tasks.queues import depths

PREFIX = "darkroom_"


class DatabaseMeasures(Collector):
    """The work as the rows say; needs an application context."""

    def collect(self) -> Iterable[Metric]:
        """Read and yield the measures."""
        items = GaugeMetricFamily(
            f"{PREFIX}items",
            "Images by status; of the final ones all that there ever were.",
            labels=["status"],
        )
        for status, number in reports.items_by_status().items():
            items.add_metric([status], number)
        yield items
        yield _gauge("due_items", "Images that could be sent now.", following.due_items())
        paused = controls.paused() is not None
        yield _gauge("paused", "Whether an operator has paused the queue.", float(paused))
        yield _gauge(
            "oldest_waiting_seconds",
            "For how long the oldest waiting image has waited; 0 if none waits.",
            reports.oldest_waiting_age(),
        )
        yield _gauge(
            "oldest_under_way_seconds",
            "For how long the oldest image that was claimed is not settled; 0 if there is none.",
            invariants.oldest_under_way(),
        )
        yield _gauge(
            "creates_in_doubt",
            "Creates of which nobody knows yet whether Replicate accepted them.",
            invariants.creates_in_doubt(),
        )
        yield _gauge("webhooks_pending", "Webhooks to be sent, now or later.", sending.pending())
        yield _gauge(
            "webhooks_late_seconds",
            "For how long the next try of a webhook has been due; 0 if none is.",
            sending.late_by(),
        )
        yield _gauge("sweep_age_seconds", "Since the last sweep; +Inf before the first.", _swept())
        yield CounterMetricFamily(
            f"{PREFIX}credits_charged", "Credits ever charged.", ledger.charged_credits()
        )


class BrokerMeasures(Collector):
    """The queues, the limiter and the calls to Replicate; all of them live in Redis.

    Everything is read before anything is yielded: a Redis that dies in between is down.
    """

    def __init__(self, client: redis.Redis, limiter: Limiter) -> None:
        self._client = client
        self._limiter = limiter

    def collect(self) -> Iterable[Metric]:
        """Read and yield the measures; with Redis down, only that it is."""
        try:
            measures = [
                self._queues(),
                *self._limits(),
                self._unknown(),
                self._tries(),
                *_calls(read_calls(self._client)),
            ]
        except (redis.RedisError, LimiterUnavailable):
            return [_gauge("redis_up", "Whether Redis answers.", 0)]
        return [_gauge("redis_up", "Whether Redis answers.", 1), *measures]

    def _queues(self) -> Metric:
        depth = GaugeMetricFamily(
            f"{PREFIX}queue_depth", "Messages by queue and state.", labels=["queue", "state"]
        )
        for queue, found in depths(self._client).items():
            depth.add_metric([queue, "ready"], found.ready)
            depth.add_metric([queue, "unacked"], found.unacked)
        return depth

    def _tries(self) -> Metric:
        tries = CounterMetricFamily(
            f"{PREFIX}webhook_tries", "Tries to send a webhook, by outcome.", labels=["outcome"]
        )
        for outcome, number in read_tries(self._client).items():
            tries.add_metric([outcome], number)
        return tries

    def _unknown(self) -> Metric:
        return _gauge(
            "unknown_predictions",
            "Predictions of the last minutes on this account that another program made.",
            read_unknown(self._client),
        )

    def _limits(self) -> Iterator[Metric]:
        state = self._limiter.state()
        yield _gauge(
            "limiter_slots_used", "Slots used in the current window.", state.slots_used_in_window
        )
        yield _gauge("limiter_limit", "Slots that a window has.", state.limit)
        yield _gauge("limiter_window_seconds", "How long a window is.", state.window)
        yield _gauge(
            "limiter_paused_seconds", "For how much longer nothing is sent.", state.paused_for
        )


def registry(client: redis.Redis, limiter: Limiter) -> CollectorRegistry:
    """Return a registry for one scrape."""
    made = CollectorRegistry(auto_describe=False)
    made.register(DatabaseMeasures())
    made.register(BrokerMeasures(client, limiter))
    return made


def _swept() -> float:
    seconds = following.seconds_since("sweep")
    return math.inf if seconds is None else seconds


def _gauge(name: str, help_text: str, value: float) -> Metric:
    return GaugeMetricFamily(PREFIX + name, help_text, value)


def _calls(calls: Iterable[CallFacts]) -> Iterator[Metric]:
    total = CounterMetricFamily(
        f"{PREFIX}replicate_calls", "Calls to Replicate.", labels=["function", "outcome"]
    )
    duration = HistogramMetricFamily(
        f"{PREFIX}replicate_call_seconds",
        "How long the calls to Replicate took.",
        labels=["function", "outcome"],
    )
    for call in calls:
        kind = [call.function, call.outcome]
        total.add_metric(kind, call.count)
        duration.add_metric(kind, _buckets(call), call.seconds)
    yield total
    yield duration


def _buckets(call: CallFacts) -> list[tuple[str, float]]:
    bounds = [*map(str, BUCKETS), "+Inf"]
    return list(zip(bounds, [*call.buckets, call.count], strict=True))
