"""What the step-by-step tests of the limiter share: its users, their database, their patience."""

import time
from collections.abc import Callable

from config.forms import RateLimit
from models.controls import AS_SET, Terms
from tasks.limiter import Grant, Limiter, Wait, limiter_redis


class Users:
    """Users of one Redis and one database, which tells how long ago attempts were claimed."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.client = limiter_redis(url)
        self.claims: list[float] = []

    def claim(self) -> None:
        """Write down one attempt, as a worker does after its grant."""
        self.claims.append(time.monotonic())

    def limiter(
        self,
        count: int = 1,
        window: float = 1.0,
        spacing: float = 0.0,
        recent_sends: Callable[[float], list[float]] | None = None,
        clock: Callable[[], float] = time.monotonic,
        terms: Callable[[], Terms] = lambda: AS_SET,
    ) -> Limiter:
        """Make one more user's limiter, with a connection of its own."""
        recent_sends = recent_sends or self._recent_sends
        limit = RateLimit(count, window)
        client = limiter_redis(self.url)
        return Limiter(client, limit, spacing, recent_sends, clock=clock, terms=terms)

    def _recent_sends(self, window: float) -> list[float]:
        now = time.monotonic()
        return [now - claim for claim in self.claims if claim > now - window]


def granted(limiter: Limiter, patience: float = 5.0) -> Grant:
    """Ask until a slot is granted."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        answer = limiter.ask()
        if isinstance(answer, Grant):
            return answer
        time.sleep(min(answer.seconds, 0.05))
    raise AssertionError(f"no slot within {patience} s: {limiter.state()}")


def ask_until_seeded(limiter: Limiter) -> Grant | Wait:
    """Ask until the answer is no longer that the quiet time has to pass."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        answer = limiter.ask()
        if isinstance(answer, Grant) or answer.reason != "seeding" or answer.seconds == 0:
            return answer
        time.sleep(min(answer.seconds, 0.05))
    raise AssertionError(f"not seeded within 10 s: {limiter.state()}")


def is_seeding(answer: Grant | Wait) -> bool:
    """Whether the limiter says that it lost its memory."""
    return isinstance(answer, Wait) and answer.reason == "seeding"


def seeded(limiter: Limiter) -> Wait:
    """Have the log seeded again, and return the answer of the next question."""
    assert ask_until_seeded(limiter) == Wait(0.0, paused=False, reason="seeding")
    answer = limiter.ask()
    assert isinstance(answer, Wait)
    return answer


def keep(grant: Grant) -> Grant:
    """Claim nothing: only the grant is wanted."""
    return grant
