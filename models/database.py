"""The database: one engine a process, and a few ways to use it.

A function of `models` that changes something is marked `@transaction` (or `@each_alone`, where its
statements need not hold together), one that only reads `@reading`; all get the session as their
first argument and are called without it. `@lookup` is for what is asked with every request: it gets
a plain connection, and plain rows. Whoever calls them stands in an application context
(`with app.app_context():`), which a request has anyway.
"""

import random
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

from flask import Flask, current_app
from flask_sqlalchemy import SQLAlchemy
from flask_sqlalchemy.session import Session as FlaskSession
from sqlalchemy import Connection, CursorResult, Engine, MetaData, UpdateBase, event, text
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import DeclarativeBase, Session

from config.settings import Settings
from models.writers import alone

Facts = Mapping[str, Any]
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
# Every statement for itself.
AT_ONCE = {"at_once": True}
LOOKUPS = "darkroom-lookups"


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


class OneDatabase(FlaskSession):
    """A session that need not find out for each statement which database it is for."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._engine = self._db.engine

    def get_bind(self, *_args: Any, **_options: Any) -> Engine:
        """Return the only one."""
        return self._engine


db = SQLAlchemy(
    model_class=Base,
    disable_autonaming=True,
    session_options={"expire_on_commit": False, "autoflush": False, "class_": OneDatabase},
)


def bind(settings: Settings) -> Flask:
    """Return an app that has nothing but the database, for tasks and for `api` to extend."""
    app = Flask(__name__, static_folder=None)
    app.config["SQLALCHEMY_DATABASE_URI"] = settings.database_url
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = _engine_options(settings)
    db.init_app(app)
    with app.app_context():
        _take_over_transactions()
        app.extensions[LOOKUPS] = db.engine.execution_options(**AT_ONCE)
    return app


def _engine_options(settings: Settings) -> dict[str, Any]:
    """Each wait of a worker for it is bounded below 8 s, so that it can stop within 10 s."""
    pool = {"pool_size": 10, "max_overflow": 20, "pool_timeout": 5, "hide_parameters": True}
    if settings.database_url.startswith("sqlite"):
        return pool | {"connect_args": {"timeout": 5}}
    bounds = "-c statement_timeout=7000 -c lock_timeout=5000 -c timezone=UTC"
    idle = " -c idle_in_transaction_session_timeout=15000"
    connect = {"connect_timeout": 5, "options": bounds + idle, "application_name": "darkroom"}
    return pool | {"pool_recycle": 1800, "connect_args": connect | ALIVE}


def _take_over_transactions() -> None:
    """Turn off the drivers' own transactions: `begin` says when one begins, and how.

    What is asked `AT_ONCE` needs none: to begin and to end one would be two more round trips.
    """
    sqlite = _is_sqlite()

    @event.listens_for(db.engine, "connect")
    def connected(connection: Any, _record: object) -> None:
        if not sqlite:
            connection.autocommit = True
            return
        connection.isolation_level = None
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(db.engine, "begin")
    def begin(connection: Connection) -> None:
        options = connection.get_execution_options()
        if "at_once" in options:
            return
        # Run by SQLAlchemy, which knows a lost connection by it.
        connection.exec_driver_sql("BEGIN IMMEDIATE" if sqlite and "writes" in options else "BEGIN")


def transaction(work: Callable[Concatenate[Session, P], R]) -> Callable[P, R]:
    """Run `work` in one transaction that may write.

    It is committed when `work` returns and rolled back when it raises. `work` is run again, with
    some jitter, when the database gave it up for a deadlock or a serialization failure, or when
    the connection was lost before the commit was sent.
    """

    @wraps(work)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        for attempt in range(1, TRIES + 1):
            committing = False
            try:
                with _writer_lock(), db.session() as session, session.begin():
                    if _is_sqlite():
                        session.connection(execution_options={"writes": True})
                    result = work(session, *args, **kwargs)
                    committing = True
            except DBAPIError as error:
                lost = error.connection_invalidated and not committing
                if attempt == TRIES or not (lost or _is_conflict(error)):
                    raise
                time.sleep(random.uniform(0.002, 0.02) * attempt)
            else:
                return result
        raise AssertionError("unreachable")

    return run


def reading(work: Callable[Concatenate[Session, P], R]) -> Callable[P, R]:
    """Run `work` in one transaction that only reads; what it returns is detached.

    On PostgreSQL each of its statements sees what is committed by then, in a transaction or not:
    so there is none, which saves a round trip before and one after it. It is run again when the
    connection was lost.
    """

    @wraps(work)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        with db.session() as session, session.begin():
            if not _is_sqlite():
                session.connection(execution_options=AT_ONCE)
            return work(session, *args, **kwargs)

    return _unless_lost(run)


def each_alone(work: Callable[Concatenate[Session, P], R]) -> Callable[P, R]:
    """Run `work`, of which each statement may stand alone.

    On PostgreSQL each is a transaction of its own, which saves two round trips; a statement that
    violates a constraint undoes nothing but itself. When the connection was lost, `work` is run
    again, so it must bear that some of it has been done. On SQLite it is one transaction.
    """
    apart, together = reading(work), transaction(work)

    @wraps(work)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        return together(*args, **kwargs) if _is_sqlite() else apart(*args, **kwargs)

    return run


def snapshot(work: Callable[Concatenate[Session, P], R]) -> Callable[P, R]:
    """Like `reading`, in a transaction whose statements all see one and the same moment.

    SQLite's transactions do so by themselves. The time-out of statements is for requests: the sum
    over a ledger of millions may take longer.
    """

    @wraps(work)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        with db.session() as session, session.begin():
            if not _is_sqlite():
                session.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"))
                session.execute(text("SET LOCAL statement_timeout = '10min'"))
            return work(session, *args, **kwargs)

    return _unless_lost(run)


def lookup(work: Callable[Concatenate[Connection, P], R]) -> Callable[P, R]:
    """Like `reading`, with a plain connection: a session costs several times what a question by
    statements that were written before does."""

    @wraps(work)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        with current_app.extensions[LOOKUPS].connect() as connection:
            return work(connection, *args, **kwargs)

    return _unless_lost(run)


def _unless_lost(ask: Callable[P, R]) -> Callable[P, R]:
    """Ask again when the connection was lost, perhaps long before."""

    @wraps(ask)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        for attempt in range(1, TRIES + 1):
            try:
                return ask(*args, **kwargs)
            except DBAPIError as error:
                if attempt == TRIES or not error.connection_invalidated:
                    raise
        raise AssertionError("unreachable")

    return run


def _is_sqlite() -> bool:
    return db.engine.dialect.name == "sqlite"


def _writer_lock() -> AbstractContextManager[None]:
    return alone(f"{db.engine.url.database}.lock") if _is_sqlite() else nullcontext()


def changed(session: Session, statement: UpdateBase, facts: Facts | None = None) -> bool:
    """Run an UPDATE, a DELETE or an upsert, with these parameters; True when it met a row. The
    heart of every compare-and-set."""
    # Without it SQLAlchemy knows no count for an INSERT on PostgreSQL: -1, whatever happened.
    counted = {"preserve_rowcount": True}
    result = session.execute(statement, facts, execution_options=counted)
    return cast("CursorResult[Any]", result).rowcount > 0


def insert_into(session: Session, table: Any) -> Any:
    """An INSERT that can say what is to happen where the row is there already."""
    postgresql = session.get_bind().dialect.name == "postgresql"
    return (postgresql_insert if postgresql else sqlite_insert)(table)


def lock_timed_out(error: DBAPIError) -> bool:
    """Whether somebody else held a row for longer than `lock_timeout`."""
    return getattr(error.orig, "sqlstate", None) == LOCK_NOT_AVAILABLE


def _is_conflict(error: DBAPIError) -> bool:
    return getattr(error.orig, "sqlstate", None) in CONFLICTS
