"""Nothing that is asked of the service looks through a table, or through a whole index, that grows
with the work: by SQLite's own plans. It has no statistics, so with ten rows it plans as for ten
million, and what it can find by an index PostgreSQL can as well."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event

from benchmarks.growth import OPERATIONS
from benchmarks.growth.blocks import Scale
from benchmarks.growth.operation import Operation
from benchmarks.growth.sides import Side, fill, side_on
from models.database import Base, db
from models.tables import (
    Attempt,
    CreditEntry,
    DailyCount,
    DailyDuration,
    DailyError,
    IdempotencyKey,
    Item,
    Job,
    MonthlyPrompt,
    Upload,
    WebhookDelivery,
)
from tests.integration.test_claim_cost import Query, plan_of
from tests.valkey import Valkey

GROWING = {
    table.__tablename__
    for table in (
        Attempt, CreditEntry, DailyCount, DailyDuration, DailyError, IdempotencyKey, Item, Job,
        MonthlyPrompt, Upload, WebhookDelivery,
    )
}  # fmt: skip
# What holds for a part of the rows that is small at any time.
PARTIAL = {
    index.name
    for table in Base.metadata.sorted_tables
    for index in table.indexes
    if index.dialect_options["sqlite"]["where"] is not None
}
SCAN = re.compile(r"SCAN (\w+)(?: USING (?:COVERING )?INDEX (\w+))?")


@pytest.fixture(scope="module")
def side(valkey_server: Valkey, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Side]:
    folder = tmp_path_factory.mktemp("growth")
    url, scale = f"sqlite:///{folder}/darkroom.db", Scale(shops=6, images=800, waiting=200)
    with side_on(url, valkey_server.url, Path(folder), scale) as side:
        fill(side)
        yield side


def asked(side: Side, operation: Operation) -> list[Query]:
    """What the database is asked for an operation."""
    queries: list[Query] = []

    def hear(_c: Connection, _cursor: Any, sql: str, facts: Any, *_rest: Any) -> None:
        if sql.startswith(("SELECT", "WITH", "UPDATE", "DELETE")):
            queries.append((sql, facts))

    def overhear(call: Callable[[], object]) -> float:
        event.listen(engine, "before_cursor_execute", hear)
        try:
            call()
        finally:
            event.remove(engine, "before_cursor_execute", hear)
        return 0.0

    with side.app.app_context():
        engine = db.engine
    operation.once(side, overhear)
    return queries


def looks_through(step: str) -> bool:
    """Whether a step of a plan goes through all of something that grows."""
    if found := SCAN.match(step):
        table, index = found.groups()
        return table in GROWING and index not in PARTIAL
    return False


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_what_grows_is_searched_by_index(side: Side, operation: Operation) -> None:
    queries = asked(side, operation)

    with side.app.app_context():
        steps = [(step, sql) for sql, facts in queries for step in plan_of((sql, facts))]
    assert steps
    assert [(step, sql) for step, sql in steps if looks_through(step)] == []
