"""Several ways measured in the same minutes: round by round, one after the other."""

from collections.abc import Callable, Mapping, Sequence
from statistics import median

from benchmarks.steps import Step


def interleaved(
    ways: Mapping[str, Callable[[], float]], rounds: int, step: Step
) -> dict[str, list[float]]:
    """Call each way once a round and return its figures; every round begins with another way.

    What else the machine does in those minutes then meets all of them alike. Takes
    `rounds * len(ways)` steps.
    """
    names = list(ways)
    figures: dict[str, list[float]] = {name: [] for name in names}
    for number in range(rounds):
        turn = number % len(names)
        for name in [*names[turn:], *names[:turn]]:
            step(f"{name}, round {number + 1} of {rounds}")
            figures[name].append(ways[name]())
    return figures


def medians(figures: Mapping[str, Sequence[float]]) -> dict[str, float]:
    """The median of each way's figures."""
    return {name: median(each) for name, each in figures.items()}


def percentile(values: Sequence[float], part: float) -> float:
    """The value that `part` (0 to 1) of the values do not exceed; `values` must not be empty."""
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, int(part * len(ranked)))]
