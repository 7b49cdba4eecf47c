"""One thing that somebody asks of the service, measured call by call."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from benchmarks.growth.sides import Side

Call = Callable[[], object]


class Part(StrEnum):
    """Whose questions are judged together."""

    SHOPS = "what shops ask"
    WORKERS = "what workers ask"
    UPKEEP = "the sweep"
    WATCHERS = "what is watched"


def nothing(_side: Side) -> None:
    """All is there already."""


def leave(_side: Side, _result: Any) -> None:
    """The next call finds what this one has made."""


@dataclass(frozen=True)
class Operation:
    """Only `act` is measured. It is given what `before` returned, and `after` what it returned."""

    name: str
    part: Part
    act: Callable[[Side, Any], Any]
    before: Callable[[Side], Any] = nothing
    after: Callable[[Side, Any], object] = leave

    def once(self, side: Side, measure: Callable[[Call], float]) -> float:
        """Return what `measure` says of one call."""
        given = self.before(side)
        results: list[Any] = []
        figure = measure(lambda: results.append(self.act(side, given)))
        self.after(side, results[0])
        return figure
