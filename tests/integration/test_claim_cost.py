"""Claiming costs the same however many items wait: counted in pages read, not timed."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, event, insert, text

from models import lifecycle
from models.database import db
from models.tables import Instance
from tests.databases import bound
from tests.shop import DEADLINE, open_shop, submit

Query = tuple[str, Any]

FEW, MANY = 1_000, 100_000


@contextmanager
def overheard_queries() -> Iterator[list[Query]]:
    """Collect the SELECTs of the current app's database."""
    queries: list[Query] = []

    def hear(_c: Connection, _cursor: Any, sql: str, facts: Any, *_rest: Any) -> None:
        if sql.startswith(("SELECT", "WITH")):
            queries.append((sql, facts))

    event.listen(db.engine, "before_cursor_execute", hear)
    try:
        yield queries
    finally:
        event.remove(db.engine, "before_cursor_execute", hear)


def wait_in_line(items: int) -> None:
    """Let so many items wait, of ten shops: copies of one that was really submitted."""
    shops = [open_shop(f"shop-{items}-{number}") for number in range(10)]
    for shop in shops:
        submit(shop)
    with db.engine.begin() as connection:
        columns = "image_url, prompt, aspect_ratio, output_format, credits, status"
        times = "failed_attempts, created_at, updated_at"
        connection.execute(
            text(
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :each) "
                "INSERT INTO image_optimization_items"
                f" (job_id, instance_id, position, image_id, {columns}, {times})"
                f" SELECT job_id, instance_id, i, 'copy-' || i, {columns}, {times}"
                " FROM n CROSS JOIN image_optimization_items"
                " WHERE position = 0 AND instance_id >= :first"
            ),
            {"each": items // 10, "first": shops[0]},
        )
        counted = text("UPDATE instances SET due_items = :n WHERE id >= :first")
        connection.execute(counted, {"n": items // 10 + 1, "first": shops[0]})


def claim_overheard() -> list[Query]:
    with overheard_queries() as queries:
        assert lifecycle.claim_next(DEADLINE)
    return queries


def pages_read(query: Query) -> int:
    """The pages that PostgreSQL touches for a query."""
    with db.engine.connect() as connection:
        explain = f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {query[0]}"
        plan = connection.exec_driver_sql(explain, query[1]).scalar_one()
    top = (plan if isinstance(plan, list) else json.loads(plan))[0]["Plan"]
    return int(top["Shared Hit Blocks"]) + int(top["Shared Read Blocks"])


def pages_of_a_claim(waiting: int) -> int:
    wait_in_line(waiting)
    with db.engine.connect().execution_options(at_once=True) as connection:
        connection.exec_driver_sql("VACUUM ANALYZE")
    return sum(pages_read(query) for query in claim_overheard())


def test_on_postgres_a_claim_reads_as_many_pages_with_a_hundred_times_the_items(
    postgres_database: str,
) -> None:
    with bound(postgres_database) as app, app.app_context():
        few = pages_of_a_claim(FEW)
        many = pages_of_a_claim(MANY)

    # The trees of the indexes grow by a level or two.
    assert many <= few + 10


def hold(shops: int) -> None:
    """Add so many shops that run as many images as their caps allow, served long ago."""
    rows = [
        {
            "name": f"held-{shops}-{n}", "plan": "free", "token_hash": f"{shops}-{n}",
            "max_running": 1, "due_items": 9, "held_at": datetime(2020, 1, 1, tzinfo=UTC),
        }
        for n in range(shops)
    ]  # fmt: skip
    with db.engine.begin() as connection:
        connection.execute(insert(Instance), rows)


def test_on_postgres_capped_shops_in_front_cost_a_claim_nothing(postgres_database: str) -> None:
    with bound(postgres_database) as app, app.app_context():
        hold(1)
        few = pages_of_a_claim(FEW)
        hold(5_000)
        many = pages_of_a_claim(FEW + 10)

    assert many <= few + 10


def test_on_sqlite_a_claim_searches_by_index_and_sorts_nothing(sqlite_database: str) -> None:
    with bound(sqlite_database) as app, app.app_context():
        wait_in_line(FEW)

        steps = [step for query in claim_overheard() for step in plan_of(query)]

    assert steps
    assert not [step for step in steps if "TEMP B-TREE" in step]
    assert not [step for step in steps if step.startswith("SCAN") and "INDEX" not in step]


def plan_of(query: Query) -> list[str]:
    with db.engine.connect() as connection:
        rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {query[0]}", query[1])
        return [str(row.detail) for row in rows]
