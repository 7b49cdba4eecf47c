"""Everything that is simulated: the days, single images beside thousands, batches alone."""

from dataclasses import dataclass, replace
from statistics import median

from benchmarks.section import Target
from benchmarks.simulation.beside import Beside, beside
from benchmarks.simulation.days import Day, Setting, days
from benchmarks.simulation.refill import Refill, refill
from benchmarks.simulation.told import span

LOADS = (0.6, 0.8, 0.95, 0.99, 1.05)
# 360 in 30 s for a million images: the load at which the other ways are compared.
USUAL = Setting("fair shares", 1_000_000, 10_000, 0.99)
SMALL = replace(USUAL, images=3_000, shops=100)
REFILLS = (360, 720, 1440, 2880)
PROMISED_INDEX, PROMISED_PART, PROMISED_SECONDS = 0.99, 0.99, 60.0


@dataclass(frozen=True)
class Simulated:
    """`loads`: the usual day at several limits; `ways`: at one limit, the usual one first."""

    loads: list[Day]
    ways: list[Day]
    polled: Day
    singles: list[Beside]
    refills: list[Refill]

    @property
    def usual(self) -> Day:
        """The day that everything else is compared with."""
        return self.ways[0]

    @property
    def plain(self) -> Day:
        """The same day with a plain queue."""
        return self.ways[1]

    def targets(self) -> list[Target]:
        """What the line and the limiter promise."""
        return [self._limit(), self._fairness(), self._single(), self._batches(), self._seconds()]

    def _limit(self) -> Target:
        day = self.usual
        return Target(
            f"a simulated day with {day.setting.images:,} images: never more than {day.limit}",
            f"at most {day.fullest}",
            all(each.fullest <= each.limit.count for each in [*self.loads, *self.ways]),
        )

    def _fairness(self) -> Target:
        index = median(each.index for each in self.usual.fairness)
        return Target(
            f"Jain's index at {self.usual.load:.0%} load, median: {PROMISED_INDEX} or more",
            f"{index:.4f}",
            index >= PROMISED_INDEX,
        )

    def _single(self) -> Target:
        most = self.singles[-1]
        # Everybody's turn, and that of its shop's image before it.
        a_round = most.others + 1
        return Target(
            f"a single image beside {most.others} shops with 1,000 each: at most a round"
            f" ({a_round} images) goes before it",
            f"{most.between}, in {span(max(most.first, most.again))}",
            most.between <= a_round,
        )

    def _batches(self) -> Target:
        slow = [each for each in self.refills if each.part < PROMISED_PART]
        said = [f"{each.part:.0%} of {each.limit}" for each in slow]
        highest = self.refills[-1].limit
        return Target(
            f"where only batches wait they get {PROMISED_PART:.0%} of any limit up to {highest}",
            ", ".join(said) or "all of it",
            not slow,
        )

    def _seconds(self) -> Target:
        longest = max(each.seconds for each in [*self.loads, *self.ways])
        return Target(
            f"such a day is simulated within {PROMISED_SECONDS:.0f} s",
            span(longest),
            longest <= PROMISED_SECONDS,
        )


def simulate(quick: bool) -> Simulated:
    """Play all of it."""
    usual = SMALL if quick else USUAL
    loads = [replace(usual, load=load) for load in LOADS]
    ways = [
        replace(usual, name="a plain queue, first come, first served", fair=False),
        replace(usual, name="as much by night as by day", swing=0.0),
        # Only for how often is looked: that needs no whole day.
        replace(SMALL, name="polled", webhooks=False),
    ]
    played = days([*loads, *ways])
    at_loads, (*others, polled) = played[: len(loads)], played[len(loads) :]
    images = 30 if quick else 1000
    return Simulated(
        loads=at_loads,
        ways=[at_loads[LOADS.index(usual.load)], *others],
        polled=polled,
        singles=[beside(number, images) for number in (1, 10, 100)],
        refills=[refill(each) for each in REFILLS],
    )
