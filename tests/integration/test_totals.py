"""What is asked for every few seconds is told by sums that the sweep carries on."""

from dataclasses import replace

from flask import Flask
from sqlalchemy import func, select, text, update

from models import analytics, ledger, lifecycle, reports, totals
from models.clock import from_now
from models.database import db
from models.tables import CreditEntry, DailyCount, Item, Status, Total
from tasks.counting import add_up
from tasks.gear import Gear
from tasks.retention import Broom, old
from tests.databases import bound
from tests.integration.test_analytics_cost import count_all, make_images
from tests.integration.test_claim_cost import overheard_queries, pages_read, plan_of
from tests.integration.test_places_cost import vacuum
from tests.old_jobs import MONTH, ids, old_job, write
from tests.shop import DEADLINE, PRICE, open_shop, submit

FEW, MANY = 600, 12_000


def settle_one_of_each() -> int:
    """A shop with an image of each status, one that rests besides; return its id."""
    shop = open_shop("alice")
    submit(shop, images=6)
    done, failed, resting, _running = [
        turn.attempt_id for _ in range(4) if (turn := lifecycle.claim_next(DEADLINE))
    ]
    lifecycle.finish(done, f"{'1' * 32}.jpg", "image/jpeg")
    lifecycle.fail(failed, "model_failed", refund=False)
    lifecycle.requeue(resting, "throttled", after=600.0)
    lifecycle.cancel_waiting(shop, limit=1)
    return shop


ONE_OF_EACH = dict.fromkeys(Status, 1) | {Status.PENDING: 2}


def test_images_are_the_same_however_far_they_are_added_up(in_database: Flask) -> None:
    shop = settle_one_of_each()

    told = [reports.items_by_status()]
    analytics.catch_up(shop)
    told.append(reports.items_by_status())
    assert totals.add_days() == 1
    told.append(reports.items_by_status())

    assert told == [ONE_OF_EACH] * 3
    assert totals.add_days() == 0


def test_credits_are_the_same_however_far_they_are_added_up(in_database: Flask) -> None:
    shop = open_shop("alice")
    submit(shop, images=3)
    write(update(CreditEntry).values(created_at=from_now(-120.0)))
    submit(shop, images=2)

    before = ledger.charged_credits()
    # The month's credits and the first charge; the second may not be committed yet, for all that
    # its id tells.
    assert totals.add_charges() == 2
    after = ledger.charged_credits()

    assert before == after == 5 * PRICE
    assert value_of(totals.CHARGED) == 3 * PRICE
    assert totals.add_charges() == 0


def value_of(name: str) -> int:
    value = db.session.scalars(select(Total.value).where(Total.name == name)).one()
    db.session.rollback()
    return value


def test_a_page_is_added_up_at_a_time(in_database: Flask) -> None:
    shops = [open_shop(f"shop-{n}") for n in range(3)]
    for shop in shops:
        submit(shop)
        lifecycle.cancel_waiting(shop)
        analytics.catch_up(shop)
    write(update(CreditEntry).values(created_at=from_now(-120.0)))

    assert [totals.add_days(limit=2) for _ in range(3)] == [2, 1, 0]
    # Each shop's month, its charge and its refund.
    assert [totals.add_charges(limit=5) for _ in range(3)] == [5, 4, 0]
    assert (value_of(Status.CANCELED), value_of(totals.CHARGED)) == (3, 3 * PRICE)


def test_what_the_release_before_counts_is_added_up_too(in_database: Flask) -> None:
    shop = settle_one_of_each()
    analytics.catch_up(shop)
    totals.add_days()
    today = select(func.max(DailyCount.day)).scalar_subquery()

    # It knows nothing of totals, and counts on the same day.
    write(update(DailyCount).where(DailyCount.day == today).values(done=DailyCount.done + 1))
    assert reports.items_by_status()[Status.DONE] == 2
    assert totals.add_days() == 1

    assert value_of(Status.DONE) == 2
    write(
        update(DailyCount).values(done=1, summed_done=1),
        update(Total).where(Total.name == Status.DONE).values(value=1),
    )


def test_what_is_deleted_has_ended_all_the_same(gear: Gear) -> None:
    with gear.database():
        old_job(gear.storage, open_shop("alice"), images=3)
        list(old(Broom(gear.storage, gear.database), MONTH))

        before = reports.items_by_status()[Status.DONE]
        add_up(gear)
        after = reports.items_by_status()[Status.DONE]

        assert ids(Item.id) == []
        assert (before, after) == (3, 3)


def test_a_sweep_that_ends_adds_no_more(gear: Gear) -> None:
    with gear.database():
        analytics.catch_up(settle_one_of_each())
    stopping = replace(gear)
    stopping.stopping.set()

    report = add_up(stopping)

    assert report == "0 days and 0 entries added up"


def test_on_postgres_twenty_times_as_many_images_cost_no_more(postgres_database: str) -> None:
    with bound(postgres_database) as app, app.app_context():
        few = pages_of_a_look(FEW)
        many = pages_of_a_look(MANY)

    # The trees of the indexes grow by a level or two.
    assert many <= few + 10


def pages_of_a_look(images: int) -> int:
    """The pages that are read for all of it, after a sweep."""
    shop = open_shop(f"shop-{images}")
    make_images(shop, images)
    count_all(shop)
    book(shop, images)
    write(update(CreditEntry).values(created_at=from_now(-120.0)))
    while totals.add_days() or totals.add_charges():
        pass
    vacuum()
    with overheard_queries() as queries:
        assert reports.items_by_status()[Status.DONE] >= images
        assert ledger.charged_credits() >= images
    return sum(pages_read(query) for query in queries)


def book(shop: int, entries: int) -> None:
    """Charge a credit so often, a while ago."""
    booked = (
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :entries) "
        "INSERT INTO credit_entries"
        " (instance_id, kind, amount, balance_after, reference, created_at)"
        " SELECT :shop, 'CHARGE', -1, 0, 'test:' || :shop || ':' || i, current_timestamp FROM n"
    )
    with db.engine.begin() as connection:
        connection.execute(text(booked), {"entries": entries, "shop": shop})


def test_on_sqlite_everything_is_searched_by_index(sqlite_database: str) -> None:
    with bound(sqlite_database) as app, app.app_context():
        settle_one_of_each()
        with overheard_queries() as queries:
            reports.items_by_status()
            ledger.charged_credits()
            reports.oldest_waiting_age()
        steps = [step for query in queries for step in plan_of(query)]

    assert [step for step in steps if "ix_items_uncounted" in step]
    assert [step for step in steps if "ix_items_waiting" in step]
    assert [step for step in steps if "ix_daily_counts_unsummed" in step]
    assert not [step for step in steps if step.startswith("SCAN") and "INDEX" not in step]
