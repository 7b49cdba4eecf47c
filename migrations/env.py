"""How migrations run: on the app's own engine, one migrator at a time."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from flask import current_app
from sqlalchemy import Connection, text

from models.clock import UtcDateTime

# Any fixed number: PostgreSQL's advisory locks are told apart by it.
MIGRATION_LOCK = 7_153_022

db = current_app.extensions["migrate"].db


def render_item(kind: str, item: Any, _context: AutogenContext) -> str | Literal[False]:
    """Migrations outlive the code: they name only SQLAlchemy's own types."""
    if kind == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    return False


def migrate(connection: Connection) -> None:
    """Bring the database to the newest revision, behind other migrators that came first."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET lock_timeout = 0"))
        connection.execute(text("SET statement_timeout = 0"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
    context.configure(
        connection=connection,
        target_metadata=db.metadata,
        render_as_batch=connection.dialect.name == "sqlite",
        render_item=render_item,
        compare_type=True,
    )
    with context.begin_transaction():
        context.run_migrations()


@contextmanager
def tables_may_be_made_anew(connection: Connection) -> Iterator[None]:
    """SQLite changes a table by dropping it, which must not empty those that refer to it; whether
    they do is not to be said any more once the transaction has begun."""
    driver = connection.connection.driver_connection
    if connection.dialect.name != "sqlite" or driver is None:
        yield
        return
    driver.execute("PRAGMA foreign_keys=OFF")
    try:
        yield
    finally:
        driver.execute("PRAGMA foreign_keys=ON")


with (
    db.engine.connect().execution_options(writes=True) as migrating,
    tables_may_be_made_anew(migrating),
    migrating.begin(),
):
    migrate(migrating)
