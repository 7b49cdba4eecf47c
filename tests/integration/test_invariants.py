"""Each promise is broken in one row, on both databases, and exactly that is found."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from flask import Flask
from sqlalchemy import text

from models import invariants, lifecycle
from models.database import db
from models.invariants import Finding, Patience, follow, looks
from tests.broken import LONG_AGO, attempt, break_rows, fill
from tests.databases import bound
from tests.shop import DEADLINE, open_shop, submit

ITEMS, ATTEMPTS = "image_optimization_items", "image_optimization_attempts"
JOBS, ENTRIES = "image_optimization_jobs", "credit_entries"
LATER = "2999-01-01 00:00:00.000000"
WAITING = Patience(expires_after=86_400.0, idle=300.0)

BROKEN = {
    "balance": ["UPDATE instances SET balance = balance + 1 WHERE id = 1"],
    "due_items": ["UPDATE instances SET due_items = due_items + 1 WHERE id = 2"],
    "ledger_chain": [
        f"UPDATE {ENTRIES} SET balance_after = balance_after + 1 WHERE kind = 'REFUND'"
    ],
    "charge_amount": [f"UPDATE {ITEMS} SET credits = 14 WHERE id = 6"],
    "refund_without_image": [
        f"UPDATE {ENTRIES} SET reference = 'refunded:item:2' WHERE kind = 'REFUND'",
        f"UPDATE {ITEMS} SET refunded = false WHERE id = 2",
    ],
    "refund_of_unfinished": [
        f"UPDATE {ENTRIES} SET reference = 'refund:item:5' WHERE kind = 'REFUND'",
        f"UPDATE {ITEMS} SET refunded = (id = 5) WHERE id IN (2, 5)",
    ],
    "refund_mark": [f"UPDATE {ITEMS} SET refunded = true WHERE id = 3"],
    "job_counters": [f"UPDATE {JOBS} SET completed_images = 2 WHERE id = 1"],
    "job_status": [f"UPDATE {JOBS} SET status = 'RUNNING' WHERE id = 2"],
    "job_started_at": [f"UPDATE {JOBS} SET started_at = NULL WHERE id = 1"],
    "job_finished_at": [f"UPDATE {JOBS} SET finished_at = {LONG_AGO} WHERE id = 2"],
    "image_without_job": [f"UPDATE {ITEMS} SET instance_id = 2 WHERE id = 3"],
    "done_without_result": [f"UPDATE {ITEMS} SET result_type = NULL WHERE id = 1"],
    "done_without_attempt": [f"UPDATE {ATTEMPTS} SET outcome = 'canceled' WHERE id = 1"],
    "running_without_attempt": [
        f"UPDATE {ATTEMPTS} SET status = 'ENDED', outcome = 'lost' WHERE id = 3"
    ],
    "living_attempt": [attempt(99, 3, lease_until=f"'{LATER}'")],
    "wanted_stray": [f"UPDATE {ATTEMPTS} SET cancel_at = '{LATER}' WHERE id = 3"],
    "second_success": [f"UPDATE {ATTEMPTS} SET outcome = 'succeeded' WHERE id = 2"],
    "attempt_without_image": [attempt(99, 99, status="'ENDED'", outcome="'lost'")],
    "unwanted_waiting": [f"UPDATE {ITEMS} SET cancel_requested_at = {LONG_AGO} WHERE id = 6"],
    "canceled_credits": [
        f"UPDATE {ITEMS} SET status = 'CANCELED' WHERE id = 5",
        f"UPDATE {JOBS} SET canceled_images = 1 WHERE id = 1",
        "UPDATE instances SET due_items = 0 WHERE id = 1",
    ],
    "retry_of": [f"UPDATE {JOBS} SET retry_of = 1 WHERE id = 2"],
    "total": ["INSERT INTO totals (name, value) VALUES ('FAILED', 1)"],
    "answer_without_job": ["UPDATE idempotency_keys SET answer = '{}'"],
}

LATE = {
    "stuck_in_doubt": [
        f"UPDATE {ATTEMPTS} SET lease_until = {LONG_AGO}, deadline_at = {LONG_AGO} WHERE id = 4"
    ],
    "stuck_stray": [
        f"UPDATE {ATTEMPTS} SET prediction_id = 'p2', cancel_at = {LONG_AGO} WHERE id = 2"
    ],
    "stuck_prediction": [f"UPDATE {ATTEMPTS} SET next_check_at = {LONG_AGO} WHERE id = 3"],
    "not_expired": [f"UPDATE {ITEMS} SET created_at = {LONG_AGO} WHERE id = 5"],
    "stuck_resting": [
        f"UPDATE {ITEMS} SET not_before = {LONG_AGO} WHERE id = 5",
        "UPDATE instances SET due_items = 0 WHERE id = 1",
    ],
    "standstill": [
        f"UPDATE {ATTEMPTS} SET created_at = {LONG_AGO} WHERE id < 4",
        f"UPDATE {ATTEMPTS} SET created_at = {LONG_AGO}, lease_until = '{LATER}' WHERE id = 4",
        f"UPDATE {ITEMS} SET updated_at = {LONG_AGO} WHERE id = 5",
    ],
}


@pytest.fixture
def world(database_url: str) -> Iterator[Flask]:
    """Rows in every state; what a test breaks in them stays broken."""
    with bound(database_url) as app:
        fill(app)
        yield app


def look(app: Flask, patience: Patience = WAITING) -> list[Finding]:
    with app.app_context():
        pages = (page for each in looks(patience).values() for page in follow(each))
        return [finding for page in pages for finding in page.findings]


def test_nothing_is_found_where_all_is_well(world: Flask) -> None:
    assert look(world) == []


@pytest.mark.parametrize("kind", [*BROKEN, *LATE])
def test_what_is_broken_is_found_and_nothing_else(world: Flask, kind: str) -> None:
    break_rows(world, *(BROKEN | LATE)[kind])

    found = look(world)

    assert [finding.kind for finding in found] == [kind]
    assert all(finding.to_do.endswith(".") for finding in found)


def test_a_charge_of_another_job_is_missing_there_and_too_much_here(world: Flask) -> None:
    break_rows(
        world, f"UPDATE {ENTRIES} SET reference = 'charge:job:99' WHERE reference = 'charge:job:2'"
    )

    assert {finding.kind for finding in look(world)} == {"job_without_charge", "charge_without_job"}


def test_a_refund_must_be_what_the_image_cost(world: Flask) -> None:
    break_rows(
        world,
        f"UPDATE {ENTRIES} SET amount = 16, balance_after = balance_after + 1"
        " WHERE kind = 'REFUND'",
        "UPDATE instances SET balance = balance + 1 WHERE id = 1",
    )

    (finding,) = look(world)

    assert (finding.kind, finding.expected, finding.found) == ("refund_amount", "15 credits", "16")


@pytest.mark.parametrize("change", ["next_check_at = NULL", f"deadline_at = {LONG_AGO}"])
def test_a_prediction_that_nobody_will_end_is_found(world: Flask, change: str) -> None:
    break_rows(world, f"UPDATE {ATTEMPTS} SET {change} WHERE id = 3")

    assert [finding.kind for finding in look(world)] == ["stuck_prediction"]


def test_a_pause_explains_a_standstill(world: Flask) -> None:
    break_rows(world, *LATE["standstill"])

    assert look(world, Patience(86_400.0, idle=None)) == []


def test_a_prediction_of_two_attempts_is_found(postgres_to_break: str) -> None:
    with bound(postgres_to_break) as app:
        fill(app)
        break_rows(
            app,
            f"ALTER TABLE {ATTEMPTS} DROP CONSTRAINT uq_{ATTEMPTS}_prediction_id",
            attempt(99, 2, status="'ENDED'", outcome="'lost'", prediction_id="'p3'"),
        )

        assert [finding.kind for finding in look(app)] == ["shared_prediction"]


def test_a_row_on_the_second_page_is_looked_at_too(world: Flask) -> None:
    shop = (
        "INSERT INTO instances (id, name, plan, token_hash, balance, reset_month, due_items,"
        " created_at) VALUES ({0}, 'shop-{0}', 'free', 'hash-{0}', {1}, '', 0, " + LONG_AGO + ")"
    )
    kept = (
        "INSERT INTO idempotency_keys (instance_id, key, request_hash, answer, created_at)"
        " VALUES ({0}, 'k-{1:04}', '', '{2}', " + LONG_AGO + ")"
    )
    answer = json.dumps({"job": {"id": 1}})
    break_rows(
        world,
        *(shop.format(id, int(id == 150)) for id in range(10, 151)),
        *(kept.format(1, n, answer) for n in range(1100)),
        kept.format(2, 0, answer),
    )

    found = {(finding.kind, finding.where) for finding in look(world)}

    assert found == {
        ("balance", "instance 150 'shop-150'"),
        ("answer_without_job", "idempotency key 'k-0000' of instance 2"),
    }


def test_nothing_is_found_while_everything_moves(database_url: str) -> None:
    with bound(database_url) as app:
        with app.app_context():
            shops = [open_shop(name) for name in ("alice", "bob", "charlie")]
        with ThreadPoolExecutor(6) as people:
            moving = [people.submit(partial(order, app, shop)) for shop in shops]
            moving += [people.submit(partial(work, app)) for _ in range(2)]
            looked = 0
            while not all(each.done() for each in moving) or not looked:
                with app.app_context():
                    assert [str(finding) for finding in invariants.findings()] == []
                looked += 1
            for each in moving:
                each.result()

        assert look(app) == []
        with app.app_context(), db.engine.connect() as connection:
            assert connection.scalar(text(f"SELECT count(*) FROM {ITEMS}")) == 3 * 10 * 3


def order(app: Flask, shop: int) -> None:
    with app.app_context():
        for number in range(10):
            submit(shop, images=3, key=f"order {number}")


def work(app: Flask) -> None:
    """Claim and settle images in every way that there is."""
    with app.app_context():
        for number in range(40):
            if turn := lifecycle.claim_next(DEADLINE):
                settle(turn.attempt_id, number)


def settle(attempt_id: int, number: int) -> None:
    match number % 3:
        case 0:
            lifecycle.note(attempt_id, f"p{attempt_id}", 1.0)
            lifecycle.finish(attempt_id, f"key-{attempt_id}.jpg", "image/jpeg")
        case 1:
            lifecycle.fail(attempt_id, "model_failed", refund=True)
        case _:
            lifecycle.requeue(attempt_id, "throttled")
