"""What must hold of batches and of results that are given again, broken row by row."""

from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import delete, update

from models import batches, invariants, lifecycle
from models.batch_orders import BatchOrder
from models.database import db
from models.orders import ImageOrder, JobOrder
from models.tables import Item, Job, Upload
from tests.broken import break_rows
from tests.databases import bound
from tests.shop import DEADLINE, PRICE, open_shop, order

ITEMS, JOBS, ENTRIES = "image_optimization_items", "image_optimization_jobs", "credit_entries"
BATCHES = "image_optimization_batches"
KEY = f"{'0' * 32}.jpg"
DAY = 86_400.0

BROKEN = {
    "charged_twice": [f"UPDATE {JOBS} SET batch_id = 1 WHERE id = 1"],
    "charge_amount": [f"UPDATE {ITEMS} SET credits = 14 WHERE id = 3"],
    "batch_without_charge": [
        f"UPDATE {ENTRIES} SET reference = 'x' WHERE reference LIKE '%batch%'"
    ],
    "batch_totals": [f"UPDATE {BATCHES} SET total_images = 3"],
    "batch_owner": [f"UPDATE {BATCHES} SET instance_id = 2"],
    "reused_at_a_cost": [f"UPDATE {ITEMS} SET credits = 1 WHERE id = 2"],
    "reused_from_another": [f"UPDATE {ITEMS} SET stored_key = 'another' WHERE id = 2"],
    "reused_unfinished": [f"UPDATE {ITEMS} SET stored_key = 'some' WHERE id = 3"],
}
# What the same broken row shows from another side.
BESIDES = {
    "charged_twice": {"batch_totals", "charge_amount"},
    "batch_without_charge": {"charge_without_job"},
    "batch_owner": {"charge_without_job", "answer_without_job"},
    "reused_at_a_cost": {"charge_amount"},
}


def world(app: Flask) -> None:
    """Alice's job 1 has item 1, made of her upload. Her batch 1 has job 2, whose item 2 is that
    result once more, and job 3, whose item 3 waits. Bob is instance 2."""
    with app.app_context():
        alice, _bob = open_shop("alice"), open_shop("bob")
        facts = {"content_type": "image/jpeg", "bytes": 1, "width": 1, "height": 1}
        db.session.add(Upload(instance_id=alice, key=KEY, sha256="5" * 64, **facts))
        db.session.commit()
        cup = JobOrder("cup", "The cup", (ImageOrder("cup", f"/uploads/{KEY}", "brighter"),))
        lifecycle.submit(alice, cup, PRICE)
        turn = lifecycle.claim_next(DEADLINE, "https://darkroom.example")
        assert turn
        lifecycle.finish(turn.attempt_id, f"{'1' * 32}.jpg", "image/jpeg")
        wish = BatchOrder((cup, order(1)))
        receipt = batches.submit(alice, wish, PRICE, "batch-1", reuse_for=DAY)
        assert [job.status for job in receipt.jobs] == ["DONE", "PENDING"]


@pytest.fixture
def app(sqlite_database: str) -> Iterator[Flask]:
    """These rows; what a test breaks in them stays broken."""
    with bound(sqlite_database) as app:
        world(app)
        yield app


def kinds(app: Flask) -> set[str]:
    with app.app_context():
        return {finding.kind for finding in invariants.findings()}


@pytest.mark.parametrize("kind", BROKEN)
def test_what_is_broken_is_found(app: Flask, kind: str) -> None:
    assert kinds(app) == set()

    break_rows(app, *BROKEN[kind])

    assert kinds(app) == {kind} | BESIDES.get(kind, set())


def test_a_batch_and_a_reuse_outlive_what_retention_deletes(in_database: Flask) -> None:
    """The rest of a batch is worth less than its charge, and nobody knows any more what the result
    was made for."""
    world(in_database)

    db.session.execute(update(Item).values(reused_from=None))
    db.session.execute(delete(Item).where(Item.id == 3))
    db.session.execute(delete(Job).where(Job.id == 3))
    db.session.execute(update(Job).values(version=Job.version + 1))
    instance = "UPDATE instances SET due_items = 0 WHERE id = 1"
    db.session.connection().exec_driver_sql(instance)
    db.session.commit()

    assert invariants.findings() == []
    ((batch,), (job,)) = batches.page(1, None, 20), batches.one(1, 1)[1]
    assert (batch.status, batch.completed_images, job.id) == ("DONE", 1, 2)
