"""Each operation on each side, round by round, the small database and the large one in turns."""

import gc
import time
from collections.abc import Callable, Sequence
from functools import partial
from statistics import median

from benchmarks.growth.findings import Growth
from benchmarks.growth.operation import Call, Operation
from benchmarks.growth.pages import pages_touched
from benchmarks.growth.sides import DATABASES, Side
from benchmarks.rounds import interleaved
from benchmarks.steps import Step

# Calls before the first that is measured: by then PostgreSQL has settled how it answers.
WARM_UP = 6
# Calls of which the pages are counted.
COUNTED = 3


def number_of_steps(operations: int, rounds: int) -> int:
    """How many `grow` takes."""
    return operations * 2 * len(DATABASES) * rounds + operations * 2


def grow(
    made: Sequence[Side], operations: Sequence[Operation], rounds: int, step: Step
) -> list[Growth]:
    """Measure them all."""
    for operation in operations:
        step(f"warming up: {operation.name}")
        for side in made:
            _repeat(WARM_UP, operation, side, _milliseconds)
    ways: dict[str, Callable[[], float]] = {
        _name(operation, side): partial(operation.once, side, _milliseconds)
        for operation in operations
        for side in made
    }
    figures = interleaved(ways, rounds, step)
    grown = []
    for operation in operations:
        step(f"counting pages: {operation.name}")
        grown += [_growth(operation, database, made, figures) for database in DATABASES]
    return grown


def _growth(
    operation: Operation, database: str, made: Sequence[Side], figures: dict[str, list[float]]
) -> Growth:
    small, large = (side for side in made if side.database == database)
    times = [figures[_name(operation, side)] for side in (small, large)]
    pages = [_pages(operation, side) for side in (small, large)]
    return Growth(operation, database, times[0], times[1], pages[0], pages[1])


def _pages(operation: Operation, side: Side) -> float:
    return median(_repeat(COUNTED, operation, side, partial(pages_touched, side)))


def _repeat(
    times: int, operation: Operation, side: Side, measure: Callable[[Call], float]
) -> list[float]:
    return [operation.once(side, measure) for _ in range(times)]


def _milliseconds(call: Call) -> float:
    """Without pauses of the garbage collector, which come when they like."""
    gc.disable()
    began = time.perf_counter()
    call()
    passed = time.perf_counter() - began
    gc.enable()
    return 1000 * passed


def _name(operation: Operation, side: Side) -> str:
    return f"{operation.name}: {side.name}"
