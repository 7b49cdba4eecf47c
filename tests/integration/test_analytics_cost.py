"""Analytics cost the same however many images there were: counted in pages read, not timed."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta

from sqlalchemy import text

from models import analytics, statement, usage
from models.database import db
from tests.databases import bound
from tests.integration.test_claim_cost import Query, overheard_queries, pages_read, plan_of
from tests.integration.test_places_cost import vacuum
from tests.shop import open_shop, submit

FEW, MANY = 600, 12_000
# The images end on so many days, and each of them has a prompt of its own.
DAYS = 60
FIRST = date(2026, 11, 1)
LAST = FIRST + timedelta(DAYS - 1)


def make_images(shop: int, images: int) -> None:
    """Let so many images of a shop have been made: copies of one that was really submitted."""
    job = submit(shop).job.id
    columns = "job_id, instance_id, image_url, aspect_ratio, output_format, credits, status"
    days = f"CAST(:first AS timestamp) + (n.i % {DAYS}) * interval '1 day' + interval '1 hour'"
    if db.engine.dialect.name == "sqlite":
        days = f"strftime('%Y-%m-%d 01:00:00.000000', :first, (n.i % {DAYS}) || ' days')"
    copied = columns.replace("status", "'DONE'")
    with db.engine.begin() as connection:
        connection.execute(
            text(
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :images) "
                f"INSERT INTO image_optimization_items ({columns}, position, image_id, prompt,"
                " result_key, failed_attempts, created_at, updated_at)"
                f" SELECT {copied}, i, 'copy-' || i, 'prompt ' || i, '{shop}-' || i, 0, {days},"
                f" {days} FROM n CROSS JOIN image_optimization_items"
                " WHERE job_id = :job AND position = 0"
            ),
            {"images": images, "first": str(FIRST), "job": job},
        )


def count_all(shop: int) -> None:
    while analytics.count_page(shop, limit=5_000):
        pass


def finish_one(shop: int) -> None:
    """Let one more image be there to be counted."""
    uncounted = text(
        "UPDATE image_optimization_items SET counted = false WHERE instance_id = :shop"
        " AND image_id = 'copy-7'"
    )
    with db.engine.begin() as connection:
        connection.execute(uncounted, {"shop": shop})


def ask(shop: int) -> list[Query]:
    """What the database is asked for a GET of analytics, one image being new, and by a sweep."""
    finish_one(shop)
    with overheard_queries() as queries:
        assert list(analytics.instances_with_news(100)) == [shop]
        analytics.catch_up(shop)
        assert usage.usage(shop, FIRST, LAST).totals.images > DAYS
    return queries


@contextmanager
def shop_of(database_url: str, images: int) -> Iterator[int]:
    """A shop that had so many images in two months, all counted."""
    with bound(database_url) as app, app.app_context():
        shop = open_shop(f"shop-{images}")
        make_images(shop, images)
        count_all(shop)
        if db.engine.dialect.name == "postgresql":
            vacuum()
        yield shop


def pages(shop: int) -> int:
    queries = ask(shop)
    # What is explained finds one to be counted, as what was asked did.
    finish_one(shop)
    read = sum(pages_read(query) for query in queries)
    count_all(shop)
    return read


def test_on_postgres_twenty_times_as_many_images_cost_no_more(postgres_database: str) -> None:
    with shop_of(postgres_database, FEW) as shop:
        few = pages(shop)
    with shop_of(postgres_database, MANY) as shop:
        many = pages(shop)

    # The trees of the indexes grow by a level or two, for each of the twenty favourites.
    assert many <= few + 100


def test_on_sqlite_everything_is_searched_by_index(sqlite_database: str) -> None:
    with shop_of(sqlite_database, FEW) as shop:
        steps = [step for query in ask(shop) for step in plan_of(query)]

    assert [step for step in steps if "ix_items_uncounted" in step]
    assert [step for step in steps if "ix_monthly_prompts_top" in step]
    assert not [step for step in steps if step.startswith(("SCAN image", "SCAN daily", "SCAN mon"))]


def test_a_page_of_a_long_ledger_is_found_by_halving(database_url: str) -> None:
    with bound(database_url) as app, app.app_context():
        shop = open_shop("alice")
        book_days(shop, 3_000)
        with overheard_queries() as queries:
            found = statement.page(shop, 20, None, FIRST + timedelta(700), FIRST + timedelta(704))
        rows = sum(rows_of(query) for query in queries)

    assert [entry.amount for entry in found] == [704, 703, 702, 701, 700]
    assert rows < 60


def book_days(shop: int, days: int) -> None:
    """Book so many credits on each day as have passed before it."""
    moment = "CAST(:first AS timestamp) + i * interval '1 day'"
    if db.engine.dialect.name == "sqlite":
        moment = "strftime('%Y-%m-%d %H:%M:%f000', :first, i || ' days')"
    with db.engine.begin() as connection:
        connection.execute(
            text(
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :days) "
                "INSERT INTO credit_entries"
                " (instance_id, kind, amount, balance_after, reference, created_at)"
                f" SELECT :shop, 'GRANT', i, 0, 'test:' || i, {moment} FROM n"
            ),
            {"days": days, "first": str(FIRST), "shop": shop},
        )


def rows_of(query: Query) -> int:
    with db.engine.connect() as connection:
        return len(connection.exec_driver_sql(query[0], query[1]).all())
