"""What a stretch of work costs the machine: processor time, SQL, Redis, messages."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

import psutil
import psycopg
import redis

# What clients say when they connect. (INFO is also what the limiter's script asks, each time.)
GREETINGS = {"hello", "auth", "select", "client|setinfo", "client|setname", "ping"}


@dataclass(frozen=True)
class Reading:
    """Counters as they stand. `redis` are calls by command; `sql` is by the names of `SQL`."""

    processor: dict[str, float]
    redis: Counter[str]
    sql: Counter[str]

    def since(self, before: "Reading") -> "Reading":
        """What was added since then."""
        return Reading(
            {kind: used - before.processor.get(kind, 0.0) for kind, used in self.processor.items()},
            self.redis - before.redis,
            self.sql - before.sql,
        )


def processor_time(pids: Mapping[str, int]) -> dict[str, float]:
    """Seconds of processor time that each of these processes has used, children included, by what
    comes before the digits of its name."""
    used: dict[str, float] = defaultdict(float)
    for name, pid in pids.items():
        used[name.rstrip("0123456789")] += _seconds(psutil.Process(pid))
    return dict(used)


def _seconds(process: psutil.Process) -> float:
    """The children first: what one that ends meanwhile has used is then found with its parent."""
    children = 0.0
    for child in process.children():
        with suppress(psutil.NoSuchProcess):
            children += _seconds(child)
    own = process.cpu_times()
    return children + own.user + own.system + own.children_user + own.children_system


def redis_calls(client: redis.Redis) -> Counter[str]:
    """How often each command was called, without greetings, with those of the limiter's script."""
    stats = client.info("commandstats")
    calls = {name.removeprefix("cmdstat_"): facts["calls"] for name, facts in stats.items()}
    return Counter({name: number for name, number in calls.items() if name not in GREETINGS})


def sql_counts(url: str) -> Counter[str]:
    """Transactions, statements (with BEGIN and COMMIT), rows and bytes of log of a database."""
    facts = (
        "SELECT xact_commit + xact_rollback AS transactions, tup_inserted AS inserted,"
        " tup_updated AS updated, tup_deleted AS deleted,"
        " (pg_current_wal_lsn() - '0/0')::bigint AS wal,"
        " (SELECT sum(calls)::bigint FROM pg_stat_statements WHERE dbid = datid) AS statements"
        " FROM pg_stat_database WHERE datname = current_database()"
    )
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(facts)
        assert cursor.description is not None
        names = [column.name for column in cursor.description]
        row = cursor.fetchone()
        assert row is not None
        return Counter(dict(zip(names, map(int, row), strict=True)))
