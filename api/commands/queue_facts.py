"""What `queue status` tells, read at one time: from Redis, from the workers, from the database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import click
import redis
from celery import Celery
from kombu.exceptions import OperationalError

from api.commands.advice import explained
from config.settings import Settings
from models import controls, following, reports
from models.controls import Pause
from models.shares import Shares, shares
from models.tables import Status
from tasks.limiter import Limiter, LimiterState, LimiterUnavailable, limiter_redis
from tasks.queues import Depth, depths

# Workers answer from their main thread at once, whatever their tasks wait for. Seconds.
PATIENCE = 1.0


@dataclass(frozen=True, slots=True)
class Flow:
    """What Redis knows: its queues, the limiter, and the workers' names with their queues."""

    depths: Mapping[str, Depth]
    limiter: LimiterState
    workers: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Work:
    """What the database knows; ages are seconds, None before the first sweep."""

    items: Mapping[Status, int]
    due: int
    oldest_wait: float
    sweep_age: float | None
    shares: Shares
    pause: Pause | None


@dataclass(frozen=True, slots=True)
class Facts:
    """Both, or the sentences that say why one of them is missing."""

    at: datetime
    flow: Flow | str
    work: Work | str


class Looker:
    """Looks again and again; what was away is asked anew each time."""

    def __init__(self, settings: Settings) -> None:
        self._url = settings.redis_url
        self._client = limiter_redis(self._url)
        self.limiter = Limiter(
            self._client,
            settings.replicate_rate_limit,
            settings.replicate_min_spacing,
            following.recent_sends,
            terms=controls.terms,
        )

    def look(self) -> Facts:
        """Return what can be known now."""
        return Facts(datetime.now(UTC), self._flow(), work())

    def _flow(self) -> Flow | str:
        try:
            # The workers last: with Redis away their names would be waited for in vain.
            with explained():
                return Flow(depths(self._client), self.limiter.state(), _workers(self._url))
        except click.ClickException as error:
            return error.message
        except (LimiterUnavailable, redis.RedisError, OperationalError) as error:
            return f"Redis does not answer ({error}): check REDIS_URL. Nothing is sent meanwhile."


def work() -> Work | str:
    """What the database knows, or why it cannot be asked."""
    try:
        with explained():
            return Work(
                items=reports.items_by_status(),
                due=following.due_items(),
                oldest_wait=reports.oldest_waiting_age(),
                sweep_age=following.seconds_since("sweep"),
                shares=shares(),
                pause=controls.paused(),
            )
    except click.ClickException as error:
        return error.message


def _workers(redis_url: str) -> list[tuple[str, str]]:
    """Ask who is there; those that do not answer in time count as absent."""
    # A connection of its own: a kept one may have been lost since the last look.
    with Celery(broker=redis_url, set_as_current=False) as asker, asker.connection() as connection:
        asked = asker.control.inspect(timeout=PATIENCE, connection=connection)
        answers = asked.active_queues() or {}
    return sorted(
        (node, ", ".join(sorted(str(queue["name"]) for queue in queues)))
        for node, queues in answers.items()
    )
