"""What is needed, and where it ends, as tables."""

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.section import Cell, Table
from benchmarks.simulation.ceiling import LIVES, ONE, Ceilings
from benchmarks.simulation.days import Day
from benchmarks.simulation.needs import DAY, MINUTE, YEAR, Image, Needs
from benchmarks.simulation.told import size
from benchmarks.simulation.world import Service
from tasks.counting import INSTANCES
from tasks.wake import MOST_IN_QUEUE

# Replicate's own limits, a minute: creates, and all other calls together.
CREATES, OTHER_CALLS = 600, 3000
MILLION = 1_000_000
RESULT_BYTES = 1.5e6


def needed(image: Image, rates: Sequence[float]) -> Table:
    """Processes and loads at some rates."""
    every = [Needs(rate, image) for rate in rates]
    worker, housekeeper = image.creating, image.following
    lines: list[tuple[str, list[Cell]]] = [
        ("images a second", [f"{each.rate:.1f}" for each in every]),
        ("threads busy with creates", [f"{each.busy(worker):.0f}" for each in every]),
        ("worker processes", [each.processes("replicate", worker) for each in every]),
        ("threads busy with following", [f"{each.busy(housekeeper):.0f}" for each in every]),
        ("housekeepers", [each.processes("housekeeping", housekeeper) for each in every]),
        ("predictions running", [f"{each.busy(image.running):.0f}" for each in every]),
        ("cores of workers", [f"{each.cores('replicate'):.1f}" for each in every]),
        ("cores of housekeepers", [f"{each.cores('housekeeping'):.1f}" for each in every]),
        ("cores of PostgreSQL", [f"{each.cores('PostgreSQL'):.2f}" for each in every]),
        ("cores of Redis", [f"{each.cores('Valkey'):.2f}" for each in every]),
        ("transactions a second", [each.rate * image.transactions for each in every]),
        ("SQL statements a second", [each.rate * image.statements for each in every]),
        ("Redis commands a second", [each.rate * image.commands for each in every]),
        ("messages a second", [each.rate * image.messages for each in every]),
        ("creates a minute", [each.rate * MINUTE for each in every]),
        ("other calls a minute", [each.rate * MINUTE * image.other_calls() for each in every]),
        ("PostgreSQL's log a day", [size(each.rate * DAY * image.log_bytes) for each in every]),
        ("rows and indexes a year", [size(each.rate * YEAR * image.row_bytes) for each in every]),
        ("results a year", [size(each.rate * YEAR * RESULT_BYTES) for each in every]),
    ]
    heads = [f"{rate * DAY / MILLION:.3g} million a day" for rate in rates]
    return Table(
        "What is needed (webhooks, ten threads a process)",
        ["", *heads],
        [[name, *cells] for name, cells in lines],
        note="Threads are planned to be half busy, cores to 70 %. A result is taken to have"
        " 1.5 MB. Processor time is that of this machine, polled every half second.",
    )


@dataclass(frozen=True, slots=True)
class Bottleneck:
    """Where a part ends, in images a second, and what to change then."""

    what: str
    rate: float
    change: str


def bottlenecks(image: Image, day: Day, polled: Day, found: Ceilings) -> list[Bottleneck]:
    """In the order in which they are met."""
    rate = day.setting.images / DAY
    lives, one_shop = found.best(LIVES), found.best(ONE)
    every = [
        Bottleneck(
            "Replicate's 600 creates a minute", CREATES / MINUTE, "ask Replicate for more: 1,000 a"
            " minute are 1.4 million a day",
        ),
        Bottleneck(
            "Replicate's 3,000 other calls a minute, polled", OTHER_CALLS / MINUTE / polled.looks,
            "`PUBLIC_BASE_URL`: webhooks",
        ),
        Bottleneck(
            f"{MOST_IN_QUEUE:,} messages a sweep, where all that waits are batches",
            MOST_IN_QUEUE / Service.sweep_interval, "`SWEEP_INTERVAL=10s`",
        ),
        Bottleneck(
            f"analytics of {INSTANCES} shops a sweep; what is late is counted when a shop asks",
            rate * INSTANCES / day.shops_a_sweep, "`SWEEP_INTERVAL=10s`",
        ),
        Bottleneck(
            "Replicate's 3,000 other calls a minute, with webhooks",
            OTHER_CALLS / MINUTE / image.other_calls(), "ask Replicate for more",
        ),
        Bottleneck(
            "one PostgreSQL beside its clients on these cores", lives.rate,
            "a server of its own",
        ),
        Bottleneck(
            "claims of one shop alone, one after the other", one_shop.rate,
            "nothing: other shops' claims go on beside them",
        ),
        Bottleneck(
            "each core of PostgreSQL's own", 1000 / lives.server_ms,
            "more cores; then one Darkroom for each part of the shops",
        ),
        Bottleneck(
            "one core of Redis", 1000 / image.processor_ms["Valkey"],
            "one Redis for the limiter, another for the messages",
        ),
    ]  # fmt: skip
    return sorted(every, key=lambda each: each.rate)


def ends(rows: Sequence[Bottleneck]) -> Table:
    """The bottlenecks in their order."""
    return Table(
        "What ends first",
        ["", "images a second", "million a day", "then"],
        [[row.what, row.rate, row.rate * DAY / MILLION, row.change] for row in rows],
    )
