"""The database: one engine a process, and two kinds of transactions on it.

A function of `models` that changes something is marked `@transaction`, one that only reads
`@reading`; both get the session as their first argument and are called without it. Whoever calls
them stands in an application context (`with app.app_context():`), which a request has anyway.
"""

import fcntl
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import IO, Any, Concatenate, ParamSpec, TypeVar, cast

from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Connection, CursorResult, MetaData, UpdateBase, event
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as WriterTimeout
from sqlalchemy.orm import DeclarativeBase, Session

from config.settings import Settings

P = ParamSpec("P")
R = TypeVar("R")

TRIES = 10
# The server's own time-outs do not help where the network has swallowed the connection: without
# these a call would wait for the kernel, which gives up after a quarter of an hour.
ALIVE = {
    "keepalives_idle": 3,  # seconds, like the next
    "keepalives_interval": 1,
    "keepalives_count": 3,
    "tcp_user_timeout": 6000,  # milliseconds
}
# Deadlock, serialization failure: the database asks to run the whole transaction again.
CONFLICTS = {"40P01", "40001"}
LOCK_NOT_AVAILABLE = "55P03"
LOCK_TIMEOUT = 5.0


class Base(DeclarativeBase):
    """The base of every table. Every constraint has a name, so that a migration can change it."""

    metadata = MetaData(
        naming_convention={
            "pk": "pk_%(table_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
        }
    )


db = SQLAlchemy(
    model_class=Base,
    disable_autonaming=True,
    session_options={"expire_on_commit": False, "autoflush": False},
)


def bind(settings: Settings) -> Flask:
    """Return an app that has nothing but the database, for tasks and for `api` to extend."""
    app = Flask(__name__, static_folder=None)
    app.config["SQLALCHEMY_DATABASE_URI"] = settings.database_url
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = _engine_options(settings)
    db.init_app(app)
    with app.app_context():
        if db.engine.dialect.name == "sqlite":
            _prepare_sqlite()
    return app


def _engine_options(settings: Settings) -> dict[str, Any]:
    """Every call of a worker is bounded below 8 s, so that it can stop within 10 s."""
    pool = {"pool_size": 10, "max_overflow": 20, "pool_timeout": 5, "hide_parameters": True}
    if settings.database_url.startswith("sqlite"):
        return pool | {"connect_args": {"timeout": 5}}
    bounds = "-c statement_timeout=7000 -c lock_timeout=5000 -c timezone=UTC"
    idle = " -c idle_in_transaction_session_timeout=15000"
    connect = {"connect_timeout": 5, "options": bounds + idle, "application_name": "darkroom"}
    return pool | {"pool_pre_ping": True, "pool_recycle": 1800, "connect_args": connect | ALIVE}


def _prepare_sqlite() -> None:
    """Turn off the driver's own transactions: `_begin` says when one begins, and how."""

    @event.listens_for(db.engine, "connect")
    def connected(connection: Any, _record: object) -> None:
        connection.isolation_level = None
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(db.engine, "begin")
    def begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def transaction(work: Callable[Concatenate[Session, P], R]) -> Callable[P, R]:
    """Run `work` in one transaction that may write.

    It is committed when `work` returns and rolled back when it raises. `work` is run again, with
    some jitter, when the database gave it up for a deadlock or a serialization failure.
    """

    @wraps(work)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        for attempt in range(1, TRIES + 1):
            try:
                with _writer_lock(), db.session() as session, session.begin():
                    session.connection(execution_options={"writes": True})
                    return work(session, *args, **kwargs)
            except DBAPIError as error:
                if attempt == TRIES or not _is_conflict(error):
                    raise
                time.sleep(random.uniform(0.002, 0.02) * attempt)
        raise AssertionError("unreachable")

    return run


def reading(work: Callable[Concatenate[Session, P], R]) -> Callable[P, R]:
    """Run `work` in one transaction that only reads; what it returns is detached."""

    @wraps(work)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        with db.session() as session, session.begin():
            return work(session, *args, **kwargs)

    return run


@contextmanager
def _writer_lock() -> Iterator[None]:
    """One SQLite writer at a time, across processes.

    SQLite's own waiting is a poll that lets some writers starve: under 16 of them the slowest
    percent waited 650 ms, behind this lock 50 ms. The kernel frees it when its holder dies; one
    that is frozen with it is waited for as long as PostgreSQL would wait for a row.
    """
    if db.engine.dialect.name != "sqlite":
        yield
        return
    with Path(f"{db.engine.url.database}.lock").open("w") as lock:
        _take(lock)
        yield


def _take(lock: IO[str]) -> None:
    deadline = time.monotonic() + LOCK_TIMEOUT
    while True:
        try:
            return fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise WriterTimeout(f"somebody has been writing for {LOCK_TIMEOUT:g} s") from None
            time.sleep(random.uniform(0.0005, 0.002))


def changed(session: Session, statement: UpdateBase) -> bool:
    """Run an UPDATE, a DELETE or an upsert; True when it met a row. The heart of every
    compare-and-set."""
    # Without it SQLAlchemy knows no count for an INSERT on PostgreSQL: -1, whatever happened.
    counted = {"preserve_rowcount": True}
    result = cast("CursorResult[Any]", session.execute(statement, execution_options=counted))
    return result.rowcount > 0


def insert_into(session: Session, table: Any) -> Any:
    """An INSERT that can say what is to happen where the row is there already."""
    postgresql = session.get_bind().dialect.name == "postgresql"
    return (postgresql_insert if postgresql else sqlite_insert)(table)


def lock_timed_out(error: DBAPIError) -> bool:
    """Whether somebody else held a row for longer than `lock_timeout`."""
    return getattr(error.orig, "sqlstate", None) == LOCK_NOT_AVAILABLE


def _is_conflict(error: DBAPIError) -> bool:
    return getattr(error.orig, "sqlstate", None) in CONFLICTS
