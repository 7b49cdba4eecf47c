"""Jain's index: how alike the shares are of those who always had something waiting.

It is 1 where all got the same, and 1/n where one of n got everything. A share is the slots that a
shop got, by its plan's weight.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from benchmarks.simulation.diary import Diary


@dataclass(frozen=True, slots=True)
class Window:
    """What is known of a stretch of time that begins at `start`: of the `shops` that had something
    due all the time, and the slots that everybody got."""

    start: float
    index: float
    shops: int
    slots: int


def jain(shares: Iterable[float]) -> float:
    """The index of at least one share, of which not all are 0."""
    values = list(shares)
    return sum(values) ** 2 / (len(values) * sum(value * value for value in values))


def windows(diary: Diary, weights: Mapping[int, int], seconds: float) -> list[Window]:
    """The index of each stretch of so many seconds in which two shops or more of `weights` always
    had something due. A real run's diary is read like a simulated one's."""
    watch = _Watch(weights, seconds)
    due = iter(sorted(diary.due))
    coming = next(due, None)
    for at, shop in diary.pairs():
        while coming is not None and coming[0] <= at:
            watch.due(*coming)
            coming = next(due, None)
        watch.claimed(at, shop)
    return watch.seen


class _Watch:
    def __init__(self, weights: Mapping[int, int], seconds: float) -> None:
        self.seen: list[Window] = []
        self._weights = weights
        self._seconds = seconds
        self._start = 0.0
        self._due: dict[int, int] = {}
        self._since: dict[int, float] = {}
        self._slots: Counter[int] = Counter()

    def due(self, at: float, shop: int, images: int) -> None:
        self._close(at)
        if shop not in self._due:
            self._since[shop] = at
        self._due[shop] = self._due.get(shop, 0) + images

    def claimed(self, at: float, shop: int) -> None:
        self._close(at)
        self._slots[shop] += 1
        self._due[shop] -= 1
        if not self._due[shop]:
            del self._due[shop]

    def _close(self, at: float) -> None:
        while at >= self._start + self._seconds:
            always = [
                shop
                for shop in self._due
                if self._since[shop] <= self._start and shop in self._weights
            ]
            shares = [self._slots[shop] / self._weights[shop] for shop in always]
            if len(shares) > 1 and any(shares):
                slots = sum(self._slots.values())
                self.seen.append(Window(self._start, jain(shares), len(shares), slots))
            self._slots.clear()
            self._start += self._seconds
