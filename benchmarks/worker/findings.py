"""What the rounds and the meter found, for docs/benchmarks.md."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.section import Cell, Findings, Plot, Table, Target
from benchmarks.worker.names import ALL, coarse
from benchmarks.worker.round import Round, busy, per_image, rate

BARE, SQLITE, POSTGRESQL = "bare loop", "SQLite", "PostgreSQL"
DATABASES = (SQLITE, POSTGRESQL)
WORKER = "worker"
PROCESSES = (WORKER, "stand-in", "Valkey", "PostgreSQL")
WANTED = 0.30
TEXT = """
One `celery worker -Q replicate,housekeeping` with {threads} threads has {images} images made that
wait when it begins, with no limit and a model that takes no time, from the first claim to the last
result in the database. The bare loop makes as many with as many threads in one process: it creates
a prediction, polls it and downloads the result by the same `replicate` client from the same
stand-in, and keeps nothing. Everything shares the machine's cores. SQLite waits for the disk at
each commit, and so does every stored result; this PostgreSQL does not (`fsync = off`).

The layers are measured in a run of their own: at each function where one layer calls the next, the
thread's CPU clock is read, so that waiting counts nothing and every microsecond counts once. What
the layers lack of the process's own total is 0 by construction; the clock's own cost is in them.
"""


@dataclass(frozen=True)
class Measured:
    """The rounds of each way, and the milliseconds of a worker's CPU by layer on each database."""

    threads: int
    images: int
    rounds: Mapping[str, Sequence[Round]]
    layers: Mapping[str, Mapping[str, float]]

    def share(self, way: str) -> float:
        """Its rate, the bare loop's being 1."""
        return rate(self.rounds[way]) / rate(self.rounds[BARE])


def findings(measured: Measured) -> Findings:
    """All of it."""
    return Findings(
        title="A worker's own cost",
        text=TEXT.format(threads=measured.threads, images=measured.images),
        targets=[_target(measured, name) for name in DATABASES],
        tables=[_rates(measured), _processes(measured), _layers(measured)],
        plots=[_rate_plot(measured), _layer_plot(measured)],
        skipped=[],
    )


def _target(measured: Measured, database: str) -> Target:
    share, ours = measured.share(database), rate(measured.rounds[database])
    return Target(
        promise=f"one worker on {database}: 30 % of the bare loop's images a second or more",
        measured=f"{share:.0%}: {ours:.0f} of {rate(measured.rounds[BARE]):.0f} images/s",
        kept=share >= WANTED,
    )


def _rates(measured: Measured) -> Table:
    rows: list[list[Cell]] = [
        [way, rate(rounds), f"{measured.share(way):.0%}", f"{busy(rounds, WORKER):.0%}"]
        for way, rounds in measured.rounds.items()
    ]
    columns = ["way", "images/s", "of the bare loop", "its process, of one core"]
    return Table("Images a second of one process", columns, rows)


def _processes(measured: Measured) -> Table:
    rows: list[list[Cell]] = [
        [
            way,
            *(per_image(rounds, process) for process in PROCESSES),
            f"{busy(rounds, 'stand-in'):.0%}",
        ]
        for way, rounds in measured.rounds.items()
    ]
    columns = ["way", *(f"{process}, ms" for process in PROCESSES), "stand-in, of one core"]
    note = "A stand-in that has a whole core is what bounds the rate, not the way."
    return Table("CPU of each process for one image", columns, rows, note)


def _layers(measured: Measured) -> Table:
    rows: list[list[Cell]] = [
        [layer, *(measured.layers[name].get(layer, 0.0) for name in DATABASES)] for layer in ALL
    ]
    total = ["all of it", *(sum(measured.layers[name].values()) for name in DATABASES)]
    columns = ["layer", *(f"{name}, ms" for name in DATABASES)]
    return Table("Where a worker's CPU goes, for one image", columns, [*rows, total])


def _rate_plot(measured: Measured) -> Plot:
    points = [(way, rate(rounds)) for way, rounds in measured.rounds.items()]
    title = f"One process with {measured.threads} threads, a model that takes no time"
    return Plot("worker-rate", title, "bars", "", "images/s", {"images/s": points})


def _layer_plot(measured: Measured) -> Plot:
    series = {name: list(coarse(measured.layers[name]).items()) for name in DATABASES}
    title = "Where a worker's CPU goes"
    return Plot("worker-cpu", title, "bars", "", "ms of CPU for one image", series)
