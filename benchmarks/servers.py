"""What the service stands on, as in production: a PostgreSQL that waits for its disk, an
append-only Valkey, and the stand-in for Replicate."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.databases import migrate
from tests.nowhere import NOWHERE
from tests.postgres import Postgres
from tests.stand_in import StandIn
from tests.valkey import Valkey

# Not what tests do without; and it remembers when each transaction was committed.
DURABLE = {"fsync": "on", "full_page_writes": "on", "track_commit_timestamp": "on"}


@dataclass(frozen=True)
class Servers:
    """All of them with a migrated, empty database; `folder` goes with them."""

    database_url: str
    redis_url: str
    stand_in: StandIn
    folder: Path


@contextmanager
def servers(**knobs: object) -> Iterator[Servers]:
    """Start them, the stand-in with these `knobs`; nothing of them is left."""
    os.environ.update(NOWHERE)
    folder = Path(tempfile.mkdtemp(prefix="darkroom-bench-"))
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        postgres = stack.enter_context(closing(Postgres(**DURABLE))).start()
        url = postgres.create_database()
        migrate(url)
        valkey = stack.enter_context(closing(Valkey(appendonly=True))).start()
        stand_in = stack.enter_context(StandIn(**knobs))
        yield Servers(url, valkey.url, stand_in, folder)
