"""The API against bare views: creating jobs of ten images, reading jobs and pages of them."""

import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path

from benchmarks.rest.findings import findings
from benchmarks.rest.stage import Database, Round, Stage, stage
from benchmarks.rest.ways import Way
from benchmarks.rounds import interleaved
from benchmarks.section import Findings
from benchmarks.steps import steps
from tests.postgres import Postgres

POSTGRESQL, SQLITE = "PostgreSQL", "SQLite"
# Production's database is judged; what the other one does is shown.
ROUNDS = {POSTGRESQL: 5, SQLITE: 3}
SECONDS = {POSTGRESQL: 1.8, SQLITE: 1.2}
QUICK_ROUNDS, QUICK_SECONDS = 1, 0.1


def run(quick: bool) -> Findings:
    """Measure all ways on both databases."""
    return findings({name: _measured(name, quick) for name in ROUNDS})


def _measured(database: str, quick: bool) -> dict[str, Round]:
    rounds = QUICK_ROUNDS if quick else ROUNDS[database]
    seconds = QUICK_SECONDS if quick else SECONDS[database]
    with _running(database) as empty, stage(empty, quick) as on:
        kept: dict[str, list[Round]] = {way.name: [] for way in on.ways}
        turns = {way.name: partial(_round, on, way, seconds, kept[way.name]) for way in on.ways}
        with steps(f"API on {database}", rounds * len(turns)) as step:
            interleaved(turns, rounds, step)
    return {name: Round.median_of(each) for name, each in kept.items()}


def _round(on: Stage, way: Way, seconds: float, kept: list[Round]) -> float:
    kept.append(on.round(way, seconds))
    return kept[-1].rate


@contextmanager
def _running(database: str) -> Iterator[Database]:
    if database == SQLITE:
        with tempfile.TemporaryDirectory() as folder:
            yield Database(f"sqlite:///{Path(folder) / 'darkroom.db'}")
    else:
        with closing(Postgres()) as server:
            url = server.start().create_database()
            assert server.process
            yield Database(url, (server.process.pid,))
