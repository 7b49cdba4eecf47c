"""Final images are counted by day, each once, whoever counts or dies; on both databases."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from flask import Flask
from sqlalchemy import delete, func, insert, select, text, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from models import analytics, invariants, lifecycle, usage
from models.database import db, transaction
from models.tables import DailyCount, Item, Job, Upload
from tasks.gear import Gear
from tasks.sweep import sweep_once
from tests.broken import break_rows
from tests.databases import bound
from tests.shop import DEADLINE, PRICE, open_shop, order, submit

NOVEMBER, DECEMBER = date(2026, 11, 30), date(2026, 12, 1)


def finish(image: int) -> None:
    """Let the next image be made."""
    turn = lifecycle.claim_next(DEADLINE)
    assert turn
    lifecycle.note(turn.attempt_id, f"p{image}", 1.0)
    assert lifecycle.finish(turn.attempt_id, f"{image:032x}.jpg", "image/jpeg")


def fail(code: str, refund: bool = False) -> None:
    turn = lifecycle.claim_next(DEADLINE)
    assert turn
    assert lifecycle.fail(turn.attempt_id, code, refund=refund)


def write(*statements: object) -> None:
    with db.engine.begin() as connection:
        for statement in statements:
            connection.execute(statement)  # type: ignore[call-overload]


def move(item: int, ended: str, created: str = "2026-11-01T00:00:00Z") -> None:
    """Let an image have been ordered and ended at these times."""
    times = {
        "created_at": datetime.fromisoformat(created),
        "updated_at": datetime.fromisoformat(ended),
    }
    write(update(Item).where(Item.id == item).values(**times))


def some_images(shop: int) -> None:
    """Four are made, one of them just before midnight; two fail, one is canceled, one waits; and
    one is taken from the first."""
    picture = {"key": f"{0:032x}.jpg", "sha256": "0" * 64, "content_type": "image/jpeg"}
    sizes = {"bytes": 1, "width": 1, "height": 1}
    write(insert(Upload).values(instance_id=shop, **picture, **sizes))
    own = replace(order(8).images[0], image_url=f"/uploads/{picture['key']}")
    lifecycle.submit(shop, replace(order(8), images=(own, *order(8).images[1:])), PRICE)
    for image in range(1, 5):
        finish(image)
    fail("model_failed")
    fail("result_lost", refund=True)
    lifecycle.cancel_waiting(shop, limit=1)
    again = replace(order(1), images=(own,))
    assert lifecycle.submit(shop, again, PRICE, reuse_for=3600.0).credits_used == 0
    move(1, "2026-11-30T23:59:59.999Z", created="2026-11-30T23:59:49.999Z")
    for item in (2, 3, 4, 5, 6, 7, 9):
        move(item, f"2026-12-01T00:00:0{item}Z", created="2026-11-30T23:59:42Z")


def test_each_outcome_is_counted_on_the_day_it_came(in_database: Flask) -> None:
    alice, bob = open_shop("alice"), open_shop("bob")
    some_images(alice)
    before = db.session.scalars(select(Item.updated_at).order_by(Item.id)).all()
    db.session.rollback()

    analytics.catch_up(alice)
    analytics.catch_up(alice)
    found = usage.usage(alice, NOVEMBER, DECEMBER)

    assert found.days == [
        usage.Day(NOVEMBER, done=1, credits_spent=15),
        usage.Day(DECEMBER, done=4, failed=2, canceled=1, reused=1, credits_spent=4 * 15),
    ]
    assert found.totals == usage.Totals(8, 5, 2, 1, 1, 5 * 15, success_rate=0.7143)
    # 10, 20, 21, 22 s; the one that was taken from an earlier one does not count.
    assert found.duration.median_seconds == pytest.approx(20, rel=0.05)
    assert found.duration.p95_seconds == pytest.approx(22, rel=0.05)
    errors = [(each.error_code, each.images) for each in found.errors]
    assert errors == [("model_failed", 1), ("result_lost", 1)]
    assert found.favourite_prompts == [usage.Favourite("brighter", 8)]
    assert usage.usage(bob, NOVEMBER, DECEMBER).totals.images == 0
    after = db.session.scalars(select(Item.updated_at).order_by(Item.id)).all()
    db.session.rollback()
    assert after == before


def test_favourites_of_several_months_are_the_ten_with_the_most_images(in_database: Flask) -> None:
    alice = open_shop("alice")
    for _ in range(3):
        submit(alice, images=10)
    lifecycle.cancel_waiting(alice)
    # Of each month another ten are in front; one prompt is in both.
    write(text("UPDATE image_optimization_items SET prompt = 'prompt ' || id WHERE id <= 24"))
    for item in range(1, 31):
        month = 11 if item % 2 else 12
        move(item, f"2026-{month}-01T12:00:00Z")

    analytics.catch_up(alice)
    both = usage.usage(alice, date(2026, 11, 15), date(2026, 12, 31)).favourite_prompts
    november = usage.usage(alice, NOVEMBER, NOVEMBER).favourite_prompts

    assert (both[0], len(both)) == (usage.Favourite("brighter", 6), 10)
    assert november[0] == usage.Favourite("brighter", 3)
    assert {each.images for each in [*both[1:], *november[1:]]} == {1}


def test_of_many_who_count_at_once_each_image_is_counted_once(bare_app: Flask) -> None:
    with bare_app.app_context():
        shops = [open_shop(name) for name in ("alice", "bob")]
        for shop in shops:
            for _ in range(6):
                submit(shop, images=10)
            assert lifecycle.cancel_waiting(shop) == 60

    def count(number: int) -> int:
        with bare_app.app_context():
            return sum(analytics.count_page(shops[(number + n) % 2], 7) for n in range(12))

    with ThreadPoolExecutor(4) as counters:
        counted = sum(counters.map(count, range(4)))

    with bare_app.app_context():
        while rest := sum(analytics.count_page(shop) for shop in shops):
            counted += rest
        canceled = db.session.scalars(select(func.sum(DailyCount.canceled))).one()
        db.session.rollback()
    assert (counted, canceled) == (120, 120)


def test_who_dies_while_counting_has_counted_nothing(in_database: Flask) -> None:
    alice = open_shop("alice")
    submit(alice, images=3)
    lifecycle.cancel_waiting(alice)
    # The last of the tables that are written to.
    break_rows(in_database, "ALTER TABLE monthly_prompts RENAME TO away")
    with pytest.raises(SQLAlchemyError):
        analytics.count_page(alice)
    break_rows(in_database, "ALTER TABLE away RENAME TO monthly_prompts")

    assert db.session.scalars(select(func.count()).select_from(DailyCount)).one() == 0
    db.session.rollback()
    assert analytics.count_page(alice) == 3


def test_a_sweep_counts_for_every_instance_and_never_more_than_it_may(gear: Gear) -> None:
    with gear.database():
        shops = [open_shop(name) for name in ("alice", "bob", "carol")]
        for shop in (shops[0], shops[2]):
            submit(shop, images=2)
            lifecycle.cancel_waiting(shop)
        assert list(analytics.instances_with_news(10)) == [shops[0], shops[2]]
        assert list(analytics.instances_with_news(1)) == [shops[0]]

    told = sweep_once(gear)

    assert "4 images counted" in told
    with gear.database():
        assert list(analytics.instances_with_news(10)) == []
        today = usage.today()
        assert [usage.usage(shop, today, today).totals.canceled for shop in shops] == [2, 0, 2]


@pytest.fixture
def counted_world(database_url: str) -> Iterator[Flask]:
    """Alice's images, counted; what a test breaks stays broken."""
    with bound(database_url) as app:
        with app.app_context():
            some_images(alice := open_shop("alice"))
            analytics.catch_up(alice)
        yield app


def kinds(app: Flask) -> set[str]:
    with app.app_context():
        return {finding.kind for finding in invariants.findings()}


BROKEN = {
    "UPDATE daily_counts SET done = done + 1, reused = reused + 1 WHERE day = '2026-12-01'": {
        "daily_counts",
        "monthly_prompts",
    },
    "UPDATE daily_counts SET credits = credits - 1 WHERE day = '2026-12-01'": {"daily_counts"},
    "UPDATE daily_durations SET images = images + 1 WHERE day = '2026-11-30'": {"daily_durations"},
    "DELETE FROM daily_errors WHERE error_code = 'result_lost'": {"daily_errors"},
    "UPDATE monthly_prompts SET month = '2026-10-01' WHERE month = '2026-11-01'": {
        "monthly_prompts"
    },
    "UPDATE image_optimization_items SET counted = false WHERE id = 1": {"daily_counts"},
}


@pytest.mark.parametrize("statement", BROKEN)
def test_what_is_miscounted_is_found(counted_world: Flask, statement: str) -> None:
    assert kinds(counted_world) == set()

    break_rows(counted_world, statement)

    assert kinds(counted_world) == BROKEN[statement]


@transaction
def delete_job(session: Session, job_id: int, until: datetime | None) -> None:
    """As retention does it: its images, and, unless it forgets that, up to when they ended."""
    session.execute(delete(Item).where(Item.job_id == job_id))
    session.execute(delete(Job).where(Job.id == job_id))
    if until:
        analytics.note_deleted(session, until)


@pytest.mark.parametrize("told", [True, False])
def test_days_whose_images_were_deleted_stay_as_they_were_counted(
    database_url: str, told: bool
) -> None:
    with bound(database_url) as app, app.app_context():
        alice = open_shop("alice")
        old, _young = (submit(alice, images=2).job.id for _ in range(2))
        lifecycle.cancel_waiting(alice)
        for item, day in enumerate(("11-30", "12-01", "12-01", "12-02"), start=1):
            move(item, f"2026-{day}T12:00:00Z")
        analytics.catch_up(alice)

        delete_job(old, datetime(2026, 12, 1, 12, tzinfo=UTC) if told else None)

        # The second of these days has one of its images left, the third is whole.
        days = usage.days(alice, NOVEMBER, date(2026, 12, 2))
        assert [day.canceled for day in days] == [1, 2, 1]
        assert ("daily_counts" in kinds(app)) is not told
        write(text("UPDATE daily_counts SET canceled = 2 WHERE day = '2026-12-02'"))
        assert "daily_counts" in kinds(app)
