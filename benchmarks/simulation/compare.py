"""The real run beside the simulation of the very same orders: what differs, and by how much."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import mean

from benchmarks.rounds import percentile
from benchmarks.section import Target
from benchmarks.simulation.diary import RETRY, Diary
from benchmarks.simulation.fairness import windows
from benchmarks.simulation.play import Play
from benchmarks.simulation.real import Run
from benchmarks.simulation.scenario import OUTSIDE, SERVICE
from benchmarks.simulation.slots import Slots
from benchmarks.simulation.waits import Wait
from benchmarks.simulation.world import Client

# What may differ: claims of three processes cross each other, and machines are busy.
WAITS_PART, WAITS_SECONDS = 0.05, 0.5
INDEX = 0.03
DURATION = 0.03


@dataclass(frozen=True)
class Comparison:
    """A real run and its simulation."""

    real: Run
    simulated: Diary

    @property
    def round(self) -> int:
        """How many images all shops together send before each had a turn."""
        return sum(client.weight for client in self.real.clients)

    def displacement(self) -> list[int]:
        """By how many places each image went earlier or later than in the simulation."""
        real, simulated = _places(self.real.diary), _places(self.simulated)
        return [abs(real[image] - simulated[image]) for image in real]

    def waits(self) -> list[tuple[str, Wait, Wait]]:
        """The waits of all, and of each shop that has a backlog."""
        groups: list[tuple[str, frozenset[int] | None]] = [("all", None)]
        groups += [(_name(each), frozenset({each.id})) for each in self.real.clients]
        return [
            (name, Wait.of(self.real.diary.claims.waits(ids)), self._simulated_wait(ids))
            for name, ids in groups
        ]

    def _simulated_wait(self, ids: frozenset[int] | None) -> Wait:
        return Wait.of(self.simulated.claims.waits(ids))

    def fairness(self) -> tuple[float, float]:
        """The mean of Jain's index over stretches of two windows of the limit, real and simulated.

        The shop with a cap is not among them: it gets less on purpose.
        """
        weights = {each.id: each.weight for each in self.real.clients if each.cap is None}
        seconds = 2 * Slots(SERVICE.limit, SERVICE.spacing).bound.window
        found = [windows(each, weights, seconds) for each in (self.real.diary, self.simulated)]
        real, simulated = (mean(each.index for each in some) for some in found)
        return real, simulated

    @classmethod
    def of(cls, real: Run) -> "Comparison":
        """Simulate what was really ordered."""
        return cls(real, Play(SERVICE, OUTSIDE, real.clients, real.orders).run())

    def targets(self) -> list[Target]:
        """Whether the simulation can be believed."""
        return [self._order(), self._index(), self._queue_times(), self._duration()]

    def _order(self) -> Target:
        moved = self.displacement()
        far = percentile(moved, 0.95)
        return Target(
            f"the simulation serves in the real run's order: 95 % of {self.real.images} images at"
            f" most a round ({self.round} places) off",
            f"{far} places; {sum(not each for each in moved) / len(moved):.0%} not at all",
            far <= self.round,
        )

    def _index(self) -> Target:
        real, simulated = self.fairness()
        return Target(
            f"Jain's index of both within {INDEX:g}",
            f"real {real:.3f}, simulated {simulated:.3f}",
            abs(real - simulated) <= INDEX,
        )

    def _queue_times(self) -> Target:
        _name, real, simulated = self.waits()[0]
        pairs = [(real.p50, simulated.p50), (real.p95, simulated.p95), (real.p99, simulated.p99)]
        return Target(
            f"queue times (p50, p95, p99) of both within {WAITS_PART:.0%} or {WAITS_SECONDS:g} s",
            f"real {_seconds(a for a, _ in pairs)}, simulated {_seconds(b for _, b in pairs)}",
            all(abs(a - b) <= max(WAITS_PART * a, WAITS_SECONDS) for a, b in pairs),
        )

    def _duration(self) -> Target:
        real, simulated = self.real.diary.ended, self.simulated.ended
        return Target(
            f"the last image is claimed at the same time within {DURATION:.0%}",
            f"real {real:.1f} s, simulated {simulated:.1f} s",
            abs(real - simulated) <= DURATION * real,
        )


def _places(diary: Diary) -> dict[tuple[int, int], int]:
    """The place in the whole order of each shop's first image, of its second one, and so on; a
    second claim of an image counts for nothing."""
    sent: Counter[int] = Counter()
    places: dict[tuple[int, int], int] = {}
    for shop, waited in zip(diary.claims.shop, diary.claims.waited, strict=True):
        if waited != RETRY:
            places[shop, sent[shop]] = len(places)
            sent[shop] += 1
    return places


def _name(client: Client) -> str:
    cap = f", cap {client.cap}" if client.cap is not None else ""
    return f"{client.plan}, {client.size:.0f} images{cap}"


def _seconds(values: Iterable[float]) -> str:
    return ", ".join(f"{value:.1f}" for value in values) + " s"
