"""The right to create one prediction now: at most N in any window, and spaced, for all workers.

A sliding-window log in Redis (`limiter.lua`) gives out grants. A grant is good for a moment only,
so that what was granted apart is also sent apart: look with `is_fresh` directly before sending.
It fails closed: without Redis, or before a log that was lost is seeded again, nothing is granted.
Say with `arrived` when an answer shows that what was sent is there: its window then ends as much
sooner (docs/decisions/0012). Who waits may stand in line (`tasks/line.py`).

The limit in force stands in that log, so that everybody keeps the same one. Where an operator has
changed it, the database says so: whoever asks next and finds the log's terms older puts in the
newer ones (docs/decisions/0009).

What is lost with Redis's memory, and what follows: the log is seeded again from the database, terms
and all. A first start looks the same: it finds nothing sent lately and waits for the quiet time
alone. A pause after a refusal by Replicate is gone; the next refusal brings it back.
"""

import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from config.forms import RateLimit
from models.controls import AS_SET, Former, Pace, Terms
from tasks.line import Place, Stay
from tasks.pace import (
    Bound,
    former_from_script,
    horizon,
    micros,
    named,
    seconds,
    text,
    to_script,
)

SCRIPT = Path(__file__).with_suffix(".lua").read_text(encoding="utf-8")

# On top of `grant_age`, before the database is asked what was sent: for the step from the last
# look at a grant's age to the socket, and for clocks that do not run alike.
SLACK = 0.05


class LimiterUnavailable(Exception):
    """Redis did not answer, or refused: nothing may be sent now."""


@dataclass(frozen=True, slots=True)
class Grant:
    """One slot. `asked_at` is the asker's monotonic clock, `granted_at` Redis's, in seconds."""

    id: str
    asked_at: float
    granted_at: float


@dataclass(frozen=True, slots=True)
class Wait:
    """No slot now; ask again after `seconds`. `reason` says why: of the pause, if it is one."""

    seconds: float
    paused: bool
    reason: str


@dataclass(frozen=True, slots=True)
class LimiterState:
    """What the limiter would say now; durations are seconds, 0 where there is none.

    `now` is Redis's clock, in Unix seconds. `grants` are the moments, by that clock, of the grants
    in the current window, the oldest first; further ones keep `grant_window` and `grant_spacing`.
    While `former` limits still bind, which are stricter, the grants reach back as far as those do.
    """

    limit: int
    window: float
    spacing: float
    slots_used_in_window: int
    next_slot_in: float
    paused_for: float
    pause_reason: str
    seeded: bool
    now: float
    grants: tuple[float, ...]
    grant_window: float
    grant_spacing: float
    former: tuple[Former, ...] = ()


class Limiter:
    """One limit, shared by everyone who uses the same Redis and `name`; safe among threads.

    It is `limit` with `min_spacing`, those of the settings, unless `terms()` says otherwise: what
    operators set, read from the database before each slot is asked for.

    `recent_sends(seconds)` returns the ages, in seconds by the database's clock, of the attempts
    claimed in the last `seconds`; only `ask` calls it, and lets its errors rise. A claim's time
    must not lie before its grant: take it from a transaction that began after the grant. Every
    method raises `LimiterUnavailable`, within the client's time-outs (see `limiter_redis`).
    """

    def __init__(
        self,
        redis: redis.Redis,
        limit: RateLimit,
        min_spacing: float,
        recent_sends: Callable[[float], list[float]],
        *,
        terms: Callable[[], Terms] = lambda: AS_SET,
        grant_age: float = 0.2,
        name: str = "darkroom:limiter",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.limit = limit
        self.min_spacing = min_spacing
        self.grant_age = grant_age
        self._redis = redis
        self._recent_sends = recent_sends
        self._terms = terms
        self._clock = clock
        # The braces keep the keys on one node of a cluster.
        self._keys = [f"{{{name}}}:{part}" for part in ("log", "state", "line")]
        self._place = Place(redis, self._keys[2], grant_age + SLACK)
        self._heard = AS_SET.revision
        self._bound = Bound.of(Pace(limit, min_spacing), grant_age)
        self._script = redis.register_script(SCRIPT)

    def ask(self, stay: Stay = Stay.NOT, terms: Terms | None = None) -> Grant | Wait:
        """Take a slot if there is one now. After a loss of memory this may read the database.

        `terms` are what operators set, if that has just been read.
        """
        terms = terms or self._terms()
        grant_id, asked_at = uuid.uuid4().hex, self._clock()
        kind, number, why, *after = self._run(
            "ask", grant_id, terms.revision, self._place.name, int(stay)
        )
        self._heard = terms.revision
        self._place.told(None)
        match text(kind):
            case "granted":
                if stay is Stay.FOR_ANOTHER:
                    self._place.told(seconds(after[0]))
                return Grant(grant_id, asked_at, seconds(number))
            case "seed":
                self._seed(text(why))
                return Wait(0.0, paused=False, reason="seeding")
            case "outdated":
                self.heed(terms)
                return Wait(0.0, paused=False, reason="limit changed")
            case "paused":
                return Wait(seconds(number), paused=True, reason=text(why))
            case "lost":
                return Wait(seconds(number), paused=False, reason="seeding")
        if stay:
            self._place.told(seconds(number))
        return Wait(seconds(number), paused=False, reason="limit")

    def turn_in(self, terms: Terms | None = None) -> float:
        """Seconds until the slot that the line foretells, as of now; 0 where it is time to ask:
        the slot has come, there is no place in line, or operators have set other `terms`."""
        if not self._place.is_ahead or (terms or self._terms()).revision != self._heard:
            return 0.0
        with _failing_closed():
            return self._place.turn_in()

    def leave(self) -> None:
        """Give up the place in line, if there is one."""
        if self._place.is_held:
            self._place.told(None)
            self._run("leave", self._place.name)

    def heed(self, terms: Terms) -> None:
        """Have everybody keep these terms from now on, unless newer ones are in force."""
        self._run("change", to_script(terms, self._bound, self.grant_age))

    def is_fresh(self, grant: Grant) -> bool:
        """Whether the grant may still be used: look directly before sending."""
        return self.age(grant) < self.grant_age

    def age(self, grant: Grant) -> float:
        """How many seconds ago the grant was asked for."""
        return self._clock() - grant.asked_at

    def arrived(self, grant: Grant, age: float) -> None:
        """Say that what was sent was there when the grant had this age.

        The log lets the window begin at the last moment at which it may be sent, which is
        `grant_age` after the grant. Sent and answered sooner, it is as if the grant had been given
        earlier. An entry that is gone stays gone.
        """
        rest = self.grant_age - age
        if rest > 0:
            earlier = {grant.id: micros(grant.granted_at - rest)}
            with _failing_closed():
                self._redis.zadd(self._keys[0], earlier, xx=True)

    def give_back(self, grant: Grant) -> None:
        """Return a slot for which nothing was or will be sent; its time is free at once."""
        self._run("give_back", grant.id, self._place.name)

    def pause(self, seconds: float, reason: str) -> None:
        """Grant nothing for `seconds`; a pause that lasts longer already stays as it is."""
        self._run("pause", micros(seconds), reason)

    def resume(self) -> None:
        """End a pause now."""
        with _failing_closed():
            self._redis.hdel(self._keys[1], "paused_until", "pause_reason")

    def state(self) -> LimiterState:
        """Look without changing anything. The terms of a log that is gone are the database's."""
        seeded, found, slot, paused, reason, now, word, former = self._run("state")
        pace = (named(text(word)) if word else None) if seeded else self._terms().pace
        bound = Bound.of(pace, self.grant_age) if pace else self._bound
        grants = tuple(seconds(int(moment)) for moment in found)
        return LimiterState(
            limit=bound.count,
            window=bound.pace.limit.window,
            spacing=bound.pace.spacing,
            slots_used_in_window=sum(each > seconds(now) - bound.window for each in grants),
            next_slot_in=seconds(slot),
            paused_for=seconds(paused),
            pause_reason=text(reason),
            seeded=bool(seeded),
            now=seconds(now),
            grants=grants,
            grant_window=bound.window,
            grant_spacing=bound.spacing,
            former=former_from_script(former),
        )

    def _seed(self, loss: str) -> None:
        """Write the log anew from the database, unless another seeder or loss came between.

        An attempt's claim lies between its grant and its send, so its age serves for the grant's.
        """
        terms = self._terms()
        back = horizon(terms, self._bound, self.grant_age)
        ages = (micros(max(0.0, age)) for age in self._recent_sends(back))
        facts = to_script(terms, self._bound, self.grant_age)
        self._run("seed", loss, facts, micros(back), *ages)

    def _run(self, verb: str, *rest: int | str) -> Any:
        times = micros(self.grant_age), micros(self.grant_age + SLACK)
        with _failing_closed():
            return self._script(self._keys, [verb, *times, *self._bound.numbers(), *rest])


def limiter_redis(url: str) -> redis.Redis:
    """Return a client for the limiter that waits 3 s for a connection and 3 s for an answer.

    One more try follows only where the connection was lost, as every pooled one is after a restart
    of Redis; a grant that was made and not heard of merely stays counted.
    """
    return redis.Redis.from_url(
        url,
        socket_connect_timeout=3,
        socket_timeout=3,
        socket_keepalive=True,
        retry=Retry(NoBackoff(), 1, supported_errors=(redis.ConnectionError,)),
    )


@contextmanager
def _failing_closed() -> Iterator[None]:
    try:
        yield
    except redis.RedisError as error:
        raise LimiterUnavailable(f"the limiter's Redis failed: {error}") from error
