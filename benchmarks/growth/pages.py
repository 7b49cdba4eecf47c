"""The pages that a call touches: steadier than its time, and what it will cost where they have to
come from a disk."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg

from benchmarks.growth.sides import Side
from models.database import db

PAGE = 4096  # bytes, of SQLite


def pages_touched(side: Side, call: Callable[[], object]) -> float:
    """PostgreSQL counts itself, in its cache or not. Of SQLite, what this process reads from files
    once the connection has an empty cache."""
    before = _so_far(side)
    call()
    return _so_far(side) - before


def _so_far(side: Side) -> int:
    with side.app.app_context():
        url = db.engine.url
        postgresql = db.engine.dialect.name == "postgresql"
        with db.engine.connect() as connection:
            tell = "SELECT pg_stat_force_next_flush()" if postgresql else "PRAGMA shrink_memory"
            connection.exec_driver_sql(tell)
    if postgresql:
        return _counted_by_postgresql(url.render_as_string(hide_password=False), url.database)
    return _bytes_read() // PAGE


def _counted_by_postgresql(url: str, database: Any) -> int:
    """Asked from another connection, in another database."""
    asked = "SELECT blks_hit + blks_read FROM pg_stat_database WHERE datname = %s"
    with psycopg.connect(url.replace(f"/{database}", "/postgres"), autocommit=True) as connection:
        row = connection.execute(asked, [database]).fetchone()
    return int(row[0]) if row else 0


def _bytes_read() -> int:
    """Of Linux; connections are not read from like files, so they do not count."""
    lines = dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())
    return int(lines["rchar"])
