"""The history that growth is measured on is one that the service might have written, and what is
said of the figures is right."""

from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy import func, select

from benchmarks.growth.blocks import IMAGES, LARGE_SHOP, Scale
from benchmarks.growth.findings import Growth, bounded, targets, times
from benchmarks.growth.loading import load, token_of
from benchmarks.growth.operation import Operation, Part
from benchmarks.growth.slots import KINDS, slots
from models import accounts, lifecycle, reports
from models.database import db
from models.tables import Instance, Item, Status
from tests.databases import bound, check_promises
from tests.shop import DEADLINE, submit

SCALE = Scale(shops=6, images=800, waiting=200)


def test_the_history_is_one_that_keeps_every_promise(bare_app: Flask) -> None:
    with bare_app.app_context():
        load(SCALE)

        check_promises()
        found = reports.items_by_status()
        assert sum(found.values()) == SCALE.images
        # What rests waits too.
        assert found[Status.PENDING] == SCALE.waiting + IMAGES
        assert accounts.authenticate(token_of(LARGE_SHOP)) == LARGE_SHOP


def test_the_service_goes_on_from_it(bare_app: Flask) -> None:
    with bare_app.app_context():
        load(SCALE)

        job = submit(LARGE_SHOP, images=2).job
        turn = lifecycle.claim_next(DEADLINE)

        assert turn is not None
        assert job.id > SCALE.images // IMAGES * 5
        own = select(func.count()).where(Item.instance_id == LARGE_SHOP)
        assert db.session.scalar(own) == SCALE.images // 2 + 2
        db.session.rollback()


def test_the_large_shop_has_half_of_what_waits(sqlite_database: str) -> None:
    with bound(sqlite_database) as app, app.app_context():
        load(SCALE)
        due = select(Instance.due_items).order_by(Instance.id)

        assert db.session.scalars(due).first() == SCALE.waiting // 2


@pytest.mark.parametrize("kind", KINDS)
def test_a_block_has_twenty_images_in_five_jobs(kind: str) -> None:
    mine = [slot for slot in slots() if slot.kind == kind]

    assert [slot.slot for slot in mine] == list(range(IMAGES))
    assert [sum(slot.job == job for slot in mine) for job in range(5)] == [10, 5, 3, 1, 1]


def growth(part: Part, small: list[float], large: list[float], name: str = "claim") -> Growth:
    operation = Operation(name, part, lambda _side, _given: None)
    return Growth(operation, "SQLite", small, large, 3, 4)


def test_the_ratio_is_that_of_the_rounds() -> None:
    # In the second round the machine had something else to do, for both of them.
    assert growth(Part.WORKERS, [1.0, 9.0, 1.0], [1.2, 9.9, 1.1]).ratio == pytest.approx(1.1)


def test_a_part_is_judged_by_its_worst_operation() -> None:
    calm = [growth(part, [1.0], [1.0]) for part in Part]
    slow = growth(Part.SHOPS, [1.0], [1.31], "list")

    found = targets([*calm, slow])

    assert [each.kept for each in found] == [False, True, True, True]
    assert found[0].measured == "1.31 times at most (list)"


def test_a_page_too_large_falls_short() -> None:
    assert bounded({"announce": 500, "retain": 20}, 500).kept
    assert not bounded({"announce": 501, "retain": 20}, 500).kept


def test_the_table_tells_times_and_pages() -> None:
    row = replace(growth(Part.SHOPS, [2.0], [2.5]))

    assert times([row], "SQLite").rows == [["claim", "2.00", "2.50", "1.25", "3", "4"]]
    assert times([row], "PostgreSQL").rows == []
