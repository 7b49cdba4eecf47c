"""Webhooks are written with what they tell of, on both databases: all of it, and nothing else."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from flask import Flask
from sqlalchemy import Connection, event, select, text, update
from sqlalchemy.orm import Session

from models import endpoints, invariants, ledger, lifecycle, moves, sending, turns
from models.clock import from_now
from models.database import db, transaction
from models.errors import TooManyEndpoints
from models.outgoing import written
from models.tables import Item, Status, WebhookDelivery
from tests.broken import break_rows
from tests.databases import bound, check_promises
from tests.receiver import events, fail_next, finish_next, listen, rows
from tests.service import wait_until
from tests.shop import open_shop, submit

HOOKS = "https://shop.example/hooks"
ON_POSTGRES = pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@contextmanager
def counted(words: str) -> Iterator[list[str]]:
    """The statements that hold these words."""
    found: list[str] = []

    def note(_c: Connection, _cursor: object, statement: str, *_rest: object) -> None:
        if words in statement:
            found.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    yield found
    event.remove(db.engine, "before_cursor_execute", note)


def test_every_end_is_written_for_whoever_wants_it(in_database: Flask) -> None:
    alice, bob = open_shop("alice"), open_shop("bob")
    everything, jobs = listen(alice, HOOKS), listen(alice, HOOKS, "job.completed", "job.failed")
    off, others = listen(alice, HOOKS), listen(bob, HOOKS)
    endpoints.change(alice, off.id, enabled=False)
    submit(alice, images=4)

    finish_next()
    fail_next()
    told = written()
    lifecycle.cancel_waiting(alice)

    assert told
    ends = ["item.completed", "item.failed", "item.canceled", "item.canceled"]
    assert events(everything) == [*ends, "job.completed"]
    assert events(jobs) == ["job.completed"]
    assert events(off) == events(others) == []
    assert len({each.message_id for each in rows()}) == 6


@ON_SQLITE
@pytest.mark.parametrize(("images", "word"), [([fail_next], "failed"), ([], "canceled")])
def test_a_job_is_told_of_as_it_ended(
    in_database: Flask, images: list[Callable[[], None]], word: str
) -> None:
    alice = open_shop("alice")
    endpoint = listen(alice, HOOKS)
    submit(alice, images=1)

    for end in images:
        end()
    lifecycle.cancel_waiting(alice)

    assert events(endpoint) == [f"item.{word}", f"job.{word}"]


def test_without_endpoints_an_end_costs_one_look(in_database: Flask) -> None:
    alice = open_shop("alice")
    submit(alice, images=1)
    submit(alice, images=10)

    with counted("webhook_") as finishing:
        finish_next()
    with counted("webhook_") as withdrawing:
        lifecycle.cancel_waiting(alice)

    assert [len(finishing), len(withdrawing)] == [1, 1]
    assert rows() == []
    assert not written()


@ON_SQLITE
def test_what_is_undone_is_not_told(in_database: Flask) -> None:
    alice = open_shop("alice")
    listen(alice, HOOKS)
    submit(alice, images=2)

    with pytest.raises(KeyboardInterrupt):
        withdraw_and_die(alice)

    assert rows() == []
    assert set(db.session.scalars(select(Item.status))) == {Status.PENDING}
    db.session.rollback()


@transaction
def withdraw_and_die(session: Session, shop: int) -> None:
    instance = ledger.lock(session, shop)
    waiting = turns.waiting_items(session, instance, 10)
    moves.withdraw(session, instance, waiting, {"status": Status.CANCELED})
    session.flush()
    raise KeyboardInterrupt


@ON_POSTGRES  # SQLite has one writer at a time.
def test_an_image_ends_although_its_endpoint_is_being_deleted(bare_app: Flask) -> None:
    with bare_app.app_context():
        alice = open_shop("alice")
        listen(alice, HOOKS)
        submit(alice)
        with db.engine.connect() as deleting:
            deleting.execute(text("DELETE FROM webhook_endpoints"))
            ending = threading.Thread(target=finish_in, args=(bare_app,))
            ending.start()
            wait_until(somebody_waits, "the move waits for the endpoint")
            deleting.commit()
        ending.join(10)

        statuses = set(db.session.scalars(select(Item.status)))
        db.session.rollback()
        assert statuses == {Status.DONE}
        assert rows() == []


def finish_in(app: Flask) -> None:
    with app.app_context():
        finish_next()


def somebody_waits() -> bool:
    waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
    with db.engine.connect() as connection:
        return bool(connection.execute(text(waiting)).scalar())


def test_one_try_has_one_sender(in_database: Flask) -> None:
    alice = open_shop("alice")
    listen(alice, HOOKS, "item.completed")
    submit(alice)
    finish_next()
    found = sending.next_due()
    assert found

    first, second = sending.take(*found, again_in=30), sending.take(*found, again_in=30)
    late = sending.arrived(found[0], number=0, status=200)
    arrived = sending.arrived(found[0], number=1, status=200)

    assert first
    assert first.number == 1
    assert second is None
    assert [late, arrived] == [False, True]
    assert sending.next_due() is None
    assert sending.take(found[0], 2, again_in=30) is None


def test_what_is_due_and_late_is_counted(in_database: Flask) -> None:
    alice = open_shop("alice")
    listen(alice, HOOKS)
    submit(alice)
    finish_next()

    before = (sending.pending(), sending.due(10), sending.late_by() < 60)
    sending.spare(rows()[0].endpoint_id, but=rows()[1].id, seconds=300)

    assert before == (2, 2, True)
    assert (sending.pending(), sending.due(10)) == (2, 1)
    assert sending.next_due(busy=[alice]) is None
    assert sending.next_due() == (rows()[1].id, 1)


def test_deliveries_are_forgotten_after_thirty_days(in_database: Flask) -> None:
    alice = open_shop("alice")
    listen(alice, HOOKS)
    submit(alice)
    finish_next()
    old, young = rows()
    age = update(WebhookDelivery).where(WebhookDelivery.id == old.id)
    db.session.execute(age.values(created_at=from_now(-31 * 86_400)))
    db.session.commit()

    forgotten = [sending.forget_old(), sending.forget_old()]

    assert forgotten == [True, False]
    assert [each.id for each in rows()] == [young.id]


def test_an_endpoint_goes_with_what_waits_for_it(in_database: Flask) -> None:
    alice = open_shop("alice")
    gone, stays = listen(alice, HOOKS), listen(alice, HOOKS)
    submit(alice)
    finish_next()

    endpoints.remove(alice, gone.id)

    assert {each.endpoint_id for each in rows()} == {stays.id}
    assert [each.id for each in endpoints.everyones(alice)] == [stays.id]


BROKEN = {
    "delivery_owner": "UPDATE webhook_endpoints SET instance_id = 2",
    "delivery_subject": "UPDATE webhook_deliveries SET item_id = 2 WHERE id = 1",
    "delivery_truth": "UPDATE webhook_deliveries SET event = 'item.failed' WHERE id = 1",
    "delivery_twice": "UPDATE webhook_deliveries SET event = 'item.completed', item_id = 1",
    "delivery_state": "UPDATE webhook_deliveries SET next_attempt_at = NULL WHERE id = 1",
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_webhook_that_should_not_be_is_found(sqlite_database: str, kind: str) -> None:
    with bound(sqlite_database) as app:
        with app.app_context():
            alice, bob = open_shop("alice"), open_shop("bob")
            listen(alice, HOOKS)
            submit(alice)
            submit(bob)
            finish_next()
            check_promises()
        break_rows(app, BROKEN[kind])

        with app.app_context():
            found = invariants.findings()

    assert {finding.kind for finding in found} == {kind}
    assert all(finding.to_do.endswith(".") for finding in found)


@ON_POSTGRES
def test_six_requests_at_once_make_five_endpoints(bare_app: Flask) -> None:
    with bare_app.app_context():
        alice = open_shop("alice")
        outcomes = in_threads(bare_app, alice, 6)
        registered = len(endpoints.everyones(alice))

    assert outcomes.count("TooManyEndpoints") == 1
    assert registered == endpoints.MOST


def in_threads(app: Flask, shop: int, number: int) -> list[str]:
    outcomes: list[str] = []

    def register() -> None:
        with app.app_context():
            try:
                outcomes.append(type(listen(shop, HOOKS)).__name__)
            except TooManyEndpoints as error:
                outcomes.append(type(error).__name__)

    threads = [threading.Thread(target=register) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    return outcomes
