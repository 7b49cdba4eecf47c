"""A sweep that has nothing to do looks at one row of what waits or is kept, and one that has
everything to do takes a page: counted in rows, not timed."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Connection, event, insert, update

from models import following, reports, sending
from models.clock import from_now, now
from models.database import db
from models.tables import Item, Job, Status, WebhookDelivery, WebhookEndpoint
from tests.databases import bound
from tests.integration.test_claim_cost import overheard_queries, plan_of, wait_in_line
from tests.old_jobs import write
from tests.shop import open_shop, submit

DAY = 86_400.0
MANY = 1_200


@contextmanager
def loaded() -> Iterator[list[int]]:
    """How many rows each statement that returns any has loaded; PostgreSQL tells."""
    rows: list[int] = []

    def hear(_c: Connection, cursor: Any, *_rest: Any) -> None:
        if cursor.description:
            rows.append(cursor.rowcount)

    event.listen(db.engine, "after_cursor_execute", hear)
    try:
        yield rows
    finally:
        event.remove(db.engine, "after_cursor_execute", hear)


def rows_of(look: Callable[[], object]) -> int:
    with loaded() as rows:
        look()
    return sum(rows)


def tell_of(shop: int, deliveries: int) -> None:
    """Let so many webhooks of a shop have been delivered."""
    endpoint = insert(WebhookEndpoint).values(
        instance_id=shop, url="https://a.example", events=[], secret="whsec_x", version=1
    )
    told = {"instance_id": shop, "event": "test", "status": "DELIVERED", "attempts": 1}
    with db.engine.begin() as connection:
        endpoint_id = connection.execute(endpoint.returning(WebhookEndpoint.id)).scalar_one()
        facts = told | {"endpoint_id": endpoint_id}
        connection.execute(
            insert(WebhookDelivery).values(finished_at=now()),
            [facts | {"message_id": f"msg_{n}"} for n in range(deliveries)],
        )


def test_what_is_young_enough_is_not_read(postgres_database: str) -> None:
    with bound(postgres_database) as app, app.app_context():
        wait_in_line(MANY)
        tell_of(open_shop("alice"), MANY)

        waiting = rows_of(lambda: following.waiting_too_long(DAY, 500))
        kept = rows_of(sending.forget_old)

    assert (waiting, kept) == (1, 1)


def test_of_what_is_too_old_a_page_is_read(postgres_database: str) -> None:
    with bound(postgres_database) as app, app.app_context():
        wait_in_line(MANY)
        tell_of(open_shop("alice"), MANY)
        write(
            update(Item).values(created_at=from_now(-2 * DAY)),
            update(WebhookDelivery).values(created_at=from_now(-90 * DAY)),
        )

        with loaded() as rows:
            overdue = following.waiting_too_long(DAY, 500)
        forgotten = [sending.forget_old() for _ in range(3)]

    assert sum(len(items) for items in overdue.values()) == 500
    assert max(rows) == 500
    assert forgotten == [True, True, False]


def test_the_newest_jobs_of_all_shops_and_of_one_are_listed(in_database: Flask) -> None:
    alice, bob = open_shop("alice"), open_shop("bob")
    first, second, third = (submit(shop).job.id for shop in (alice, bob, alice))
    last = submit(bob).job.id
    write(update(Job).where(Job.id == second).values(version=2))
    both = (Status.PENDING, Status.DONE)

    def listed(limit: int, shop: int | None = None) -> list[tuple[int, str]]:
        return [(job.id, name) for job, name in reports.newest_jobs(both, limit, shop)]

    assert listed(3) == [(last, "bob"), (third, "alice"), (second, "bob")]
    assert listed(9, alice) == [(third, "alice"), (first, "alice")]
    assert reports.newest_jobs((Status.FAILED,), 9) == []


@pytest.mark.parametrize("one_shop", [False, True])
def test_on_sqlite_the_newest_jobs_are_searched_by_index(
    sqlite_database: str, one_shop: bool
) -> None:
    with bound(sqlite_database) as app, app.app_context():
        shop = open_shop("alice")
        submit(shop)
        with overheard_queries() as queries:
            assert reports.newest_jobs(
                (Status.PENDING, Status.FAILED), 5, shop if one_shop else None
            )
        steps = [step for query in queries for step in plan_of(query)]

    assert not [step for step in steps if step.startswith("SCAN image")]
