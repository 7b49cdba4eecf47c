"""Where the ways are measured: both servers on one database and one broker."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import psutil
import redis

from benchmarks.rest.servers import BARE, OURS, cpu_of, served
from benchmarks.rest.shops import finish, open_shops
from benchmarks.rest.ways import Shops, Way, ways
from benchmarks.rounds import percentile
from tests.databases import bound, migrate
from tests.valkey import Valkey

CLIENT = Path(__file__).parent / "client.py"
CONNECTIONS = 16
# More jobs than a page of them shows; each is read in its turn.
JOBS, FEW_JOBS = 25, 2


@dataclass(frozen=True)
class Round:
    """What one round shows: answers a second, seconds until half and until 99 % of the answers
    were there, and the processor seconds that an answer takes the server's processes, the database
    with the broker, and the client."""

    rate: float
    p50: float
    p99: float
    cpu: float
    behind_cpu: float
    client_cpu: float

    @classmethod
    def median_of(cls, rounds: list["Round"]) -> "Round":
        """Each figure's median."""
        return cls(*(median(getattr(each, name) for each in rounds) for name in _FIGURES))


_FIGURES = tuple(Round.__dataclass_fields__)


@dataclass(frozen=True)
class Database:
    """An empty one, and the processes that serve it."""

    url: str
    pids: tuple[int, ...] = ()


@dataclass(frozen=True)
class Stage:
    """Everything is running."""

    ways: list[Way]
    broker: redis.Redis
    behind: list[psutil.Process]

    def round(self, way: Way, seconds: float) -> Round:
        """Load it for so long."""
        before = way.server.cpu(), self._behind()
        found = _load(way, seconds)
        used, used_behind = way.server.cpu() - before[0], self._behind() - before[1]
        # Nobody takes the messages.
        self.broker.delete("replicate")
        number = len(found["latencies"])
        if found["statuses"] != {str(way.status): number}:
            raise RuntimeError(f"{way.name}: answers with {found['statuses']}")
        return Round(
            rate=number / found["seconds"],
            p50=percentile(found["latencies"], 0.5),
            p99=percentile(found["latencies"], 0.99),
            cpu=used / number,
            behind_cpu=used_behind / number,
            client_cpu=found["cpu"] / number,
        )

    def _behind(self) -> float:
        return sum(cpu_of(process) for process in self.behind)


def _load(way: Way, seconds: float) -> dict[str, Any]:
    wish = {"port": way.server.port, "seconds": seconds, "connections": way.requests}
    done = subprocess.run(
        [sys.executable, str(CLIENT)],
        input=json.dumps(wish),
        capture_output=True,
        text=True,
        check=True,
        timeout=seconds + 60,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@contextmanager
def stage(database: Database, quick: bool) -> Iterator[Stage]:
    """Both servers on this database, which is empty so far."""
    database_url = database.url
    migrate(database_url)
    shops = _shops(database_url, FEW_JOBS if quick else JOBS)
    with (
        tempfile.TemporaryDirectory() as folder,
        closing(Valkey(appendonly=True).start()) as valkey,
        redis.Redis.from_url(valkey.url) as broker,
    ):
        settings, logs = _settings(database_url, valkey.url, folder), Path(folder)
        with (
            served(OURS, settings, logs / "ours.log") as ours,
            served(BARE, settings, logs / "bare.log") as bare,
        ):
            assert valkey.process
            behind = [psutil.Process(pid) for pid in (valkey.process.pid, *database.pids)]
            yield Stage(ways(ours, bare, shops), broker, behind)


def _shops(database_url: str, jobs: int) -> Shops:
    with bound(database_url) as app, app.app_context():
        done = open_shops("done", CONNECTIONS, jobs)
        finish(done)
        waiting = open_shops("waiting", CONNECTIONS, FEW_JOBS)
        return Shops(open_shops("ordering", CONNECTIONS, 0), done, waiting)


def _settings(database_url: str, redis_url: str, folder: str) -> dict[str, str]:
    """Those of production, but for a limit that nobody reaches: every request is counted."""
    return {
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "SECRET_KEY": "secret-of-the-benchmarks",
        "REPLICATE_API_TOKEN": "r8_benchmarks",
        "STORAGE_URL": f"file://{folder}/results",
        "METRICS_TOKEN": "metrics-of-the-benchmarks",
        "API_RATE_LIMIT": "999999/1m",
    }
