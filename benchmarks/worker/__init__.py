"""A worker's own cost: images a second of one process, beside a loop that does nothing else."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from benchmarks.rounds import interleaved
from benchmarks.section import Findings
from benchmarks.steps import Step, steps
from benchmarks.worker.cpu import spent
from benchmarks.worker.findings import BARE, DATABASES, POSTGRESQL, SQLITE, Measured, findings
from benchmarks.worker.ours import Ours, ours
from benchmarks.worker.round import Round
from tests.databases import migrate
from tests.postgres import Postgres
from tests.stand_in import StandIn
from tests.valkey import Valkey

THREADS = 10
ROOT = Path(__file__).parent.parent.parent


class Size(NamedTuple):
    """How much is measured: so many `images` in each of so many `rounds`."""

    images: int
    rounds: int


def run(quick: bool) -> Findings:
    """Measure the three ways in turns, then look into the worker on each database."""
    size = Size(images=40, rounds=1) if quick else Size(images=200, rounds=5)
    with (
        steps("worker", 3 * size.rounds + 2) as step,
        StandIn(canned_result=True) as stand_in,
        _postgres() as postgres,
    ):
        rounds = _rounds(size, postgres, stand_in, step)
        layers = {name: _layers(name, size, postgres, stand_in, step) for name in DATABASES}
    return findings(Measured(THREADS, size.images, rounds, layers))


def _rounds(
    size: Size, postgres: Postgres, stand_in: StandIn, step: Step
) -> dict[str, list[Round]]:
    """All ways in turns; what the stand-in remembers is forgotten after each round."""
    kept: dict[str, list[Round]] = {BARE: [], SQLITE: [], POSTGRESQL: []}

    def way(name: str, make: Callable[[int], Round]) -> Callable[[], float]:
        def once() -> float:
            made = make(size.images)
            kept[name].append(made)
            stand_in.reset()
            return made.rate

        return once

    with ExitStack() as stack:
        workers = {
            name: stack.enter_context(_worker(name, postgres, stand_in)) for name in DATABASES
        }
        ways = {BARE: way(BARE, lambda images: bare(stand_in, images))}
        ways |= {name: way(name, worker.round) for name, worker in workers.items()}
        for worker in workers.values():
            worker.round(size.images // 4)  # so that what a process builds once is built
        interleaved(ways, size.rounds, step)
    return kept


def _layers(
    name: str, size: Size, postgres: Postgres, stand_in: StandIn, step: Step
) -> dict[str, float]:
    step(f"where it goes, on {name}")
    with _worker(name, postgres, stand_in, metered=True) as worker:
        worker.round(size.images // 4)
        found = worker.layers(2 * size.images)
    stand_in.reset()
    return found


def bare(stand_in: StandIn, images: int) -> Round:
    """The bare loop, in a process of its own."""
    assert stand_in.process
    before = spent(stand_in.process.pid)
    command = [sys.executable, "-m", "benchmarks.worker.bare", stand_in.url]
    words = [*command, str(THREADS), str(images)]
    told = subprocess.run(words, cwd=ROOT, check=True, capture_output=True, timeout=120).stdout
    found = json.loads(told)
    cpu = {"worker": found["cpu"], "stand-in": spent(stand_in.process.pid) - before}
    return Round(images, found["seconds"], cpu)


@contextmanager
def _worker(
    name: str, postgres: Postgres, stand_in: StandIn, *, metered: bool = False
) -> Iterator[Ours]:
    """A worker on a new database, with a broker of its own: none takes another's messages."""
    valkey = Valkey()
    with tempfile.TemporaryDirectory(prefix="worker-") as folder:
        try:
            valkey.start()
            pids = {"Valkey": _pid(valkey), "stand-in": _pid(stand_in)}
            if name == POSTGRESQL:
                url, pids["PostgreSQL"] = postgres.create_database(), _pid(postgres)
            else:
                url = f"sqlite:///{folder}/darkroom.db"
            migrate(url)
            where = Path(folder)
            with ours(url, valkey.url, stand_in, where, THREADS, pids, metered=metered) as built:
                yield built
        finally:
            valkey.close()


def _pid(server: Valkey | StandIn | Postgres) -> int:
    assert server.process
    return server.process.pid


@contextmanager
def _postgres() -> Iterator[Postgres]:
    server = Postgres().start()
    try:
        yield server
    finally:
        server.close()
