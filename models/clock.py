"""The database's own clock, in SQL: leases, due times and deadlines never ask a process's clock.

`statement_timestamp()` is stable within a statement, so PostgreSQL can still use an index on the
column it is compared with; SQLite stores times as text of the same shape, to the millisecond.
"""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import DateTime, Dialect, Float, bindparam, literal
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import ColumnElement, FunctionElement
from sqlalchemy.types import TypeDecorator


class UtcDateTime(TypeDecorator[datetime]):
    """A moment in UTC, always aware in Python. SQLite keeps it without a zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None or dialect.name != "sqlite":
            return value
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(
        self,
        value: datetime | None,
        dialect: Dialect,  # noqa: ARG002
    ) -> datetime | None:
        return value and (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(UTC)


class _Now(FunctionElement[datetime]):
    """Now."""

    name = "now"
    type = UtcDateTime()
    inherit_cache = True


class _Moment(FunctionElement[datetime]):
    """Now plus a number of seconds."""

    name = "moment"
    type = UtcDateTime()
    inherit_cache = True


class _Age(FunctionElement[float]):
    """The seconds that have passed since a column's moment."""

    name = "age"
    type = Float()
    inherit_cache = True


def now() -> ColumnElement[datetime]:
    """The database's time at the start of the statement."""
    return _Now()


def from_now(seconds: float) -> ColumnElement[datetime]:
    """The moment `seconds` after (or, if negative, before) the database's time."""
    return _Moment(literal(float(seconds), Float()))


def in_seconds(name: str) -> ColumnElement[datetime]:
    """The moment as many seconds after the database's time as the statement's parameter says."""
    return _Moment(bindparam(name, type_=Float()))


def age(moment: Any) -> ColumnElement[float]:
    """The seconds between a column's moment and the database's time."""
    return _Age(moment)


@compiles(_Now, "postgresql")
def _now_postgresql(_element: _Now, _compiler: SQLCompiler, **_options: Any) -> str:
    return "statement_timestamp()"


@compiles(_Now, "sqlite")
def _now_sqlite(_element: _Now, _compiler: SQLCompiler, **_options: Any) -> str:
    return "strftime('%Y-%m-%d %H:%M:%f000', 'now')"


@compiles(_Moment, "postgresql")
def _moment_postgresql(element: _Moment, compiler: SQLCompiler, **options: Any) -> str:
    seconds = compiler.process(element.clauses, **options)
    return f"(statement_timestamp() + make_interval(secs => {seconds}))"


@compiles(_Moment, "sqlite")
def _moment_sqlite(element: _Moment, compiler: SQLCompiler, **options: Any) -> str:
    seconds = compiler.process(element.clauses, **options)
    return f"strftime('%Y-%m-%d %H:%M:%f000', 'now', {seconds} || ' seconds')"


@compiles(_Age, "postgresql")
def _age_postgresql(element: _Age, compiler: SQLCompiler, **options: Any) -> str:
    moment = compiler.process(element.clauses, **options)
    return f"CAST(extract(epoch from statement_timestamp() - {moment}) AS double precision)"


@compiles(_Age, "sqlite")
def _age_sqlite(element: _Age, compiler: SQLCompiler, **options: Any) -> str:
    moment = compiler.process(element.clauses, **options)
    return f"((julianday('now') - julianday({moment})) * 86400.0)"
