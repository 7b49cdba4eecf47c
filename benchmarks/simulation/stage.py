"""What the real runs stand on: PostgreSQL, Valkey, the stand-in for Replicate, a folder."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import redis

from benchmarks.servers import DURABLE
from tests.databases import migrate
from tests.nowhere import NOWHERE
from tests.postgres import Postgres
from tests.stand_in import StandIn
from tests.valkey import Valkey

COUNTING = {"shared_preload_libraries": "pg_stat_statements"}


@dataclass(frozen=True)
class Stage:
    """Servers that run, and a migrated database to copy."""

    postgres: Postgres
    valkey: Valkey
    stand_in: StandIn
    folder: Path
    template: str

    def start_over(self) -> str:
        """Empty Valkey; return the URL of a fresh database that counts its statements."""
        with redis.Redis.from_url(self.valkey.url) as client:
            client.flushall()
        url = self.postgres.create_database(self.template)
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("CREATE EXTENSION pg_stat_statements")
        return url


@contextmanager
def stage() -> Iterator[Stage]:
    """Start everything, and leave nothing behind."""
    os.environ.update(NOWHERE)
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="simulation-"))
        postgres = stack.enter_context(closing(Postgres(**DURABLE, **COUNTING))).start()
        valkey = stack.enter_context(closing(Valkey(appendonly=True))).start()
        stand_in = stack.enter_context(StandIn())
        template = postgres.create_database()
        migrate(template)
        yield Stage(postgres, valkey, stand_in, Path(folder), template)
