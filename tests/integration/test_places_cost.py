"""Places cost the same however much waits, and hardly more among ten thousand shops: counted in
pages and rows read, not timed."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import func, insert, select

from models import places
from models.database import db
from models.tables import Instance, Item
from tests.databases import bound
from tests.integration.test_claim_cost import (
    MANY,
    Query,
    overheard_queries,
    pages_read,
    plan_of,
    wait_in_line,
)
from tests.shop import open_shop, submit

SOME = 10_000
SHOPS = 10_000


@contextmanager
def ten_shops(database_url: str, waiting: int) -> Iterator[None]:
    """A database in which so many images of ten shops wait."""
    with bound(database_url) as app, app.app_context():
        wait_in_line(waiting)
        yield


def newest_shop() -> tuple[int, list[int]]:
    """The shop that is the last one in the round, and its jobs."""
    with db.session() as session:
        shop = session.scalars(select(func.max(Instance.id))).one()
        jobs = select(Item.job_id).where(Item.instance_id == shop).distinct()
        return shop, list(session.scalars(jobs))


def open_others(number: int, due: int) -> None:
    """Add so many shops; some of their images are due, as far as their own rows tell."""
    rows = [
        {"name": f"other-{n}", "plan": "free", "token_hash": f"{n}", "due_items": due and n % 30}
        for n in range(number)
    ]
    with db.engine.begin() as connection:
        connection.execute(insert(Instance), rows)


def vacuum() -> None:
    with db.engine.connect().execution_options(at_once=True) as connection:
        connection.exec_driver_sql("VACUUM ANALYZE")


def look(shop: int, jobs: list[int]) -> list[Query]:
    """Ask for the places of a shop's images; return what the database was asked."""
    with overheard_queries() as queries:
        assert places.waiting(shop, jobs)
    return queries


def pages(shop: int, jobs: list[int]) -> int:
    vacuum()
    return sum(pages_read(query) for query in look(shop, jobs))


def rows(query: Query) -> int:
    with db.engine.connect() as connection:
        return len(connection.exec_driver_sql(query[0], query[1]).all())


def test_only_the_first_thousand_have_a_place(database_url: str) -> None:
    with ten_shops(database_url, SOME + 100):
        found = places.waiting(*newest_shop())

    assert [each.rank for each in found] == list(range(1, 1001))
    # Ten shops take turns of two images, and this one is the last of them.
    rounds = [20 * number for number in range(1, 501)]
    assert [each.position for each in found] == [n - left for n in rounds for left in (1, 0)]


def test_on_postgres_ten_times_as_many_images_cost_no_more(postgres_database: str) -> None:
    with ten_shops(postgres_database, SOME):
        few = pages(*newest_shop())
        wait_in_line(MANY)
        many = pages(*newest_shop())

    # The trees of the indexes grow by a level or two.
    assert many <= few + 10


def test_on_postgres_shops_that_wait_for_nothing_cost_nothing(postgres_database: str) -> None:
    with ten_shops(postgres_database, 100):
        few = pages(*newest_shop())
        alice, jobs = newest_shop()
        open_others(SHOPS, due=0)
        many = pages(alice, jobs)

    assert many <= few + 10


def test_of_ten_thousand_shops_in_line_only_counts_are_read(database_url: str) -> None:
    with bound(database_url) as app, app.app_context():
        open_others(SHOPS, due=1)
        alice = open_shop("alice")
        job_id = submit(alice, images=3).job.id

        own, _turns, others, held = look(alice, [job_id])

        # Those before this one with one image due, and with two or more: it has two turns.
        assert (rows(own), rows(others), rows(held)) == (3, 2, 0)


def test_on_sqlite_places_are_searched_by_index(sqlite_database: str) -> None:
    with ten_shops(sqlite_database, 1_000):
        steps = [step for query in look(*newest_shop()) for step in plan_of(query)]

    assert [step for step in steps if "ix_items_due" in step]
    assert [step for step in steps if "ix_instances_turn" in step]
    assert not [step for step in steps if step.startswith("SCAN image") or step == "SCAN instances"]
