"""Growth: what a thousand times as many images in the database cost."""

import logging
from collections.abc import Mapping

import structlog

from benchmarks.growth.backlog import largest_pages
from benchmarks.growth.blocks import Scale
from benchmarks.growth.findings import bounded, plot, targets, times
from benchmarks.growth.measuring import grow, number_of_steps
from benchmarks.growth.shops import SHOPS
from benchmarks.growth.sides import DATABASES, sides
from benchmarks.growth.watchers import WATCHERS
from benchmarks.growth.workers import WORKERS
from benchmarks.section import Cell, Findings, Table
from benchmarks.steps import steps

OPERATIONS = (*SHOPS, *WORKERS, *WATCHERS)
SMALL, LARGE = Scale(10, 1_000, 100), Scale(1_000, 1_000_000, 100_000)
QUICK = Scale(20, 4_000, 400)
# The largest page that any step of a sweep takes: of webhooks and of kept answers.
PAGE = 1_000
TEXT = """
Each operation is asked of a database with 1,000 images and of one with 1,000,000, one after the
other, round by round, on PostgreSQL and on SQLite. The small one has 10 shops and 100 images that
wait, the large one 1,000 shops and 100,000; in both, one shop has half of everything, and asks
where no other is named. What runs, rests and is overdue is the same. The API's whole code is gone
through, in one process, without network and server; `times` is the median of the rounds' ratios.
The history is filled in by the database itself (`benchmarks/growth/`); `models.invariants` finds
nothing wrong with it.
"""


def run(quick: bool) -> Findings:
    """Measure all of it."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    rounds = 2 if quick else 25
    with steps("growth", number_of_steps(len(OPERATIONS), rounds) + 2) as step:
        step("filling the databases")
        with sides(SMALL, QUICK if quick else LARGE) as made:
            grown = grow(made, OPERATIONS, rounds, step)
            step("a sweep with everything to do")
            (side,) = (each for each in made if each.name == "PostgreSQL, large")
            largest = largest_pages(side, 1_500 if quick else 20_000)
    return Findings(
        "Growth",
        TEXT,
        [*targets(grown), bounded(largest, PAGE)],
        [*(times(grown, database) for database in DATABASES), _table(largest)],
        [plot(grown)],
        [],
    )


def _table(largest: Mapping[str, int]) -> Table:
    rows: list[list[Cell]] = [[step.replace("_", " "), rows] for step, rows in largest.items()]
    note = "Of each step of a sweep, the most rows that one statement loads, PostgreSQL."
    return Table("A sweep with everything to do", ["step", "rows"], rows, note)
