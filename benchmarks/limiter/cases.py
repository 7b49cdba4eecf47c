"""What is measured: which limiter, in how many processes, which limit, and what befalls them."""

from dataclasses import dataclass

OURS = "Darkroom"
PYTHON_PEERS = ("limits", "pyrate-limiter", "dramatiq")
CELERY, BULLMQ = "Celery rate_limit", "BullMQ"
SKEW = 2.0  # seconds that the wall clocks of half of the processes are ahead, in skewed cases


@dataclass(frozen=True)
class Limit:
    """At most `count` sends in any `window` seconds, `spacing` apart."""

    count: int
    window: float
    spacing: float = 0.0

    def __str__(self) -> str:
        apart = f", {self.spacing:g} s apart" if self.spacing else ""
        return f"{self.count} per {self.window:g} s{apart}"

    @property
    def round(self) -> float:
        """Seconds that `count` sends take at least, over and over."""
        return max(self.window, self.count * self.spacing)


@dataclass(frozen=True)
class Case:
    """One run: from the first send on it lasts `rounds` rounds of the limit and half a round."""

    limiter: str
    limit: Limit
    processes: int
    skewed: bool = False
    rounds: int = 3
    killed: int = 0  # processes that are ended by kill -9, one after the other
    dropped: int = 0  # processes that end themselves so, between their second grant and its send

    def __str__(self) -> str:
        skew = ", clocks apart" if self.skewed else ""
        return f"{self.limiter}, {self.limit}, {self.processes} processes{skew}"

    @property
    def seconds(self) -> float:
        return (self.rounds + 0.5) * self.limit.round

    @property
    def deaths(self) -> int:
        return self.killed + self.dropped


MANY, FEW = Limit(50, 3.0), Limit(5, 3.0, 0.1)


def ours() -> list[list[Case]]:
    """Ours, in batches of cases that run side by side: they mostly wait."""
    settings = [(1, False), (4, False), (4, True), (16, False), (16, True)]
    cases = [Case(OURS, limit, *each) for each in settings for limit in (MANY, FEW)]
    deaths = [Case(OURS, limit, 16, killed=5, dropped=5, rounds=4) for limit in (MANY, FEW)]
    return [cases[:4], cases[4:6], cases[6:8], cases[8:], deaths]


def peers(with_bullmq: bool) -> list[list[Case]]:
    """The others, at the limit that all of them know how to keep."""
    names = [*PYTHON_PEERS, *([BULLMQ] if with_bullmq else [])]
    settings = [(4, False), (4, True), (16, False), (16, True)]
    celery = [Case(CELERY, MANY, *each, rounds=2) for each in settings]
    batches = [[Case(name, MANY, *each, rounds=2) for name in names] for each in settings]
    # Each of Celery's workers sends as much as all of them should: two batches, not with others.
    return [*batches, celery[:3], celery[3:]]


def quick(with_bullmq: bool) -> list[list[Case]]:
    """A little of everything."""
    limit = Limit(5, 0.6)
    names = [OURS, *PYTHON_PEERS[:2], CELERY, *([BULLMQ] if with_bullmq else [])]
    spaced = Case(OURS, Limit(3, 0.6, 0.05), 3, skewed=True)
    death = Case(OURS, limit, 3, killed=1, dropped=1)
    # dramatiq's counts whole seconds.
    whole = Case("dramatiq", Limit(5, 1.0), 2, rounds=2)
    return [[*(Case(name, limit, 2, rounds=2) for name in names), spaced, death, whole]]
