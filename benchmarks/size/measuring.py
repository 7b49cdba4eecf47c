"""What is measured, and in which order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from benchmarks.rounds import interleaved
from benchmarks.servers import servers
from benchmarks.size.answering import answered
from benchmarks.size.first_result import FirstResult, first_results
from benchmarks.size.holding import IMAGES, THREADS, held
from benchmarks.size.starting import (
    SERVICES,
    Imports,
    imports,
    imports_of_command,
    seconds_of_command,
    seconds_to_start,
)
from benchmarks.size.weighing import Weighed
from benchmarks.steps import steps

COMMAND = "a command"


@dataclass(frozen=True)
class Measured:
    """Figures as they came; `starts` are seconds by process and round."""

    workers: Sequence[Weighed]
    api: Sequence[Weighed]
    starts: Mapping[str, Sequence[float]]
    imports: Mapping[str, Imports]
    first_results: tuple[FirstResult, FirstResult] | None


def measured(quick: bool) -> Measured:
    """Run all of it; a quick run holds the images once and starts few processes."""
    rounds, threads = (1, [IMAGES]) if quick else (3, [THREADS, IMAGES])
    total = len(threads) + 1 + rounds * (len(SERVICES) + 1) + 1 + (not quick)
    with steps("size", total) as step, servers() as below:
        workers: list[Weighed] = []
        for each in threads:
            step(f"{IMAGES} images in flight, {each} threads")
            workers += held(below, each)
        step("requests of every kind")
        api = answered(below, 1 if quick else 25)
        ways = {name: partial(seconds_to_start, below, name) for name in SERVICES}
        starts = interleaved({**ways, COMMAND: partial(seconds_of_command, below)}, rounds, step)
        step("imports")
        imported = {} if quick else {name: imports(below, name) for name in SERVICES}
        if not quick:
            step("make run in a fresh clone")
        return Measured(
            workers,
            api,
            starts,
            imported | {COMMAND: imports_of_command(below)},
            None if quick else first_results(),
        )
