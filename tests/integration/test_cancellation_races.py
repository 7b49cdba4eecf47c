"""Canceling and retrying at the same moment as everything else, on both databases."""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress

import pytest
from flask import Flask
from sqlalchemy import Connection, select, text
from sqlalchemy.orm import Session

from models import cancellation, ledger, lifecycle, reports, retries
from models.database import db
from models.errors import CancelRequested, DomainError
from models.orders import Turn
from models.tables import Attempt, Item, Job, Status
from tests.service import wait_until
from tests.shop import DEADLINE, PRICE, open_shop, refunds, submit

CREDITS = 10 * PRICE


def together(app: Flask, times: int, moves: Sequence[Callable[[int], object]]) -> list[object]:
    """Make each of the moves so often, each in a thread of its own; return what they answered, and
    how they were refused."""
    gate = threading.Barrier(len(moves))

    def repeat(move: Callable[[int], object]) -> list[object]:
        with app.app_context():
            gate.wait(10)
            return [told(move, number) for number in range(times)]

    with ThreadPoolExecutor(len(moves)) as threads:
        futures = [threads.submit(repeat, move) for move in moves]
        return [answer for future in futures for answer in future.result()]


def told(move: Callable[[int], object], number: int) -> object:
    try:
        return move(number)
    except DomainError as error:
        return type(error).__name__


@pytest.mark.parametrize("rounds", [25, pytest.param(500, marks=pytest.mark.soak)])
def test_cancels_retries_and_work_at_the_same_moment(bare_app: Flask, rounds: int) -> None:
    """Nobody hears of a deadlock, and whatever came first, everything adds up afterwards."""
    with bare_app.app_context():
        shops = [open_shop(name, credits=rounds * 8 * PRICE) for name in ("alice", "bob")]

    together(
        bare_app,
        rounds,
        [lambda n: submit(shops[n % 2], images=1 + n % 3)] * 2
        + [work] * 4
        + [lambda n: cancellation.cancel_job(shops[n % 2], 1 + n * 2)]
        + [lambda n: cancel_newest(shops[n % 2])] * 2
        + [lambda n: cancel_each(shops[n % 2])] * 2
        + [lambda n: retry_newest(shops[n % 2])] * 2
        + [lambda n: lifecycle.make_due(shops[n % 2])],
    )

    with bare_app.app_context():
        items = all_items()
        for shop in shops:
            own = [item for item in items if item.instance_id == shop]
            booked = sorted(f"refund:item:{each.id}" for each in own if each.refunded)
            assert refunds(shop) == booked
    unwanted = {item.status for item in items if item.cancel_requested_at}
    assert Status.CANCELED in unwanted
    assert Status.PENDING not in unwanted


def work(number: int) -> None:
    """Claim, and come to one end or the other."""
    turn = lifecycle.claim_next(DEADLINE)
    if turn is None:
        return
    match number % 6:
        case 0:
            assert lifecycle.requeue(turn.attempt_id, "throttled").moved
        case 1:
            assert lifecycle.requeue(turn.attempt_id, "model_busy", backoff=0.001).moved
        case 2:
            assert lifecycle.fail(turn.attempt_id, "model_failed", refund=number % 2 == 0)
        case 3:
            assert lifecycle.note(turn.attempt_id, f"p{turn.attempt_id}", check_in=1.0)
            assert lifecycle.requeue(turn.attempt_id, "canceled", backoff=0.001).moved
        case 4:
            with suppress(CancelRequested):
                cancellation.cancel_item(turn.instance_id, turn.job_id, turn.item_id)
            assert lifecycle.requeue(turn.attempt_id, "aborted", backoff=0.001).canceled
        case _:
            assert lifecycle.finish(turn.attempt_id, f"key-{turn.attempt_id}", "image/jpeg")


def cancel_newest(shop: int) -> None:
    for job in reports.jobs(shop, (Status.PENDING, Status.RUNNING), limit=1):
        cancellation.cancel_job(shop, job.id)


def cancel_each(shop: int) -> None:
    for job in reports.jobs(shop, (Status.RUNNING,), limit=1):
        for item in reports.items(job.id):
            with suppress(DomainError):
                cancellation.cancel_item(shop, job.id, item.id)


def retry_newest(shop: int) -> None:
    for job in reports.jobs(shop, (Status.FAILED, Status.DONE), limit=2):
        with suppress(DomainError):
            retries.retry(shop, job.id, PRICE)


def all_items() -> Sequence[Item]:
    with Session(db.engine) as session:
        return session.scalars(select(Item)).all()


def test_of_twins_that_cancel_one_does_and_each_image_is_refunded_once(bare_app: Flask) -> None:
    with bare_app.app_context():
        alice = open_shop("alice", credits=CREDITS)
        job_id = submit(alice, images=4).job.id

    answers = together(bare_app, 1, [lambda _: cancellation.cancel_job(alice, job_id)] * 8)

    assert answers.count("AlreadyCanceled") == 7
    with bare_app.app_context():
        assert ledger.account(alice).balance == CREDITS
        assert len(refunds(alice)) == 4


@pytest.mark.parametrize("key", [None, "the same"])
def test_of_twins_that_retry_one_pays(bare_app: Flask, key: str | None) -> None:
    with bare_app.app_context():
        alice = open_shop("alice", credits=CREDITS)
        job_id = submit(alice).job.id
        lifecycle.fail(claim().attempt_id, "model_failed", refund=False)

    def retry(_: int) -> int:
        return retries.retry(alice, job_id, PRICE, key).job.id

    answers = together(bare_app, 1, [retry] * 8)

    with bare_app.app_context():
        retried = retries.retried_by(job_id)
        assert ledger.account(alice).balance == CREDITS - 2 * PRICE
        assert len(reports.jobs(alice)) == 2
    assert answers.count(retried) == (8 if key else 1)
    assert answers.count("AlreadyRetried") == (0 if key else 7)


def claim() -> Turn:
    turn = lifecycle.claim_next(DEADLINE)
    assert turn
    return turn


def running(app: Flask, prediction: str | None = None) -> Turn:
    """An image that was claimed, perhaps with its prediction noted."""
    with app.app_context():
        submit(open_shop("alice", credits=CREDITS))
        turn = claim()
        if prediction:
            assert lifecycle.note(turn.attempt_id, prediction, check_in=600.0)
    return turn


@contextmanager
def beside(app: Flask) -> Iterator[tuple[Connection, ThreadPoolExecutor]]:
    """A transaction that is under way, and a thread that may have to wait for it."""
    with app.app_context(), db.engine.connect() as other, ThreadPoolExecutor(1) as thread:
        yield other, thread


def begin(app: Flask, thread: ThreadPoolExecutor, move: Callable[[], object]) -> "Future[object]":
    """Begin a move, and return once it waits for a lock."""

    def run() -> object:
        with app.app_context():
            return move()

    future = thread.submit(run)
    waits = text("SELECT count(*) FROM pg_locks WHERE NOT granted")

    def is_waiting() -> bool:
        with db.engine.connect() as connection:
            return bool(connection.scalar(waits))

    wait_until(is_waiting, "it waits for the other's lock")
    return future


def check_is_due(attempt_id: int) -> bool:
    """Whether the prediction is to be asked about now."""
    with Session(db.engine) as session:
        row = session.get_one(Attempt, attempt_id)
        moment = session.scalars(select(text("now()"))).one()
        return row.next_check_at is not None and row.next_check_at <= moment


# SQLite has one writer at a time, so none of these can happen there.
on_postgres = pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
NOTE = text(
    "UPDATE image_optimization_attempts SET status = 'CREATED', prediction_id = 'p1',"
    " next_check_at = now() + interval '10 min'"
)
WISH = text("UPDATE image_optimization_items SET cancel_requested_at = now()")
FINISH = (
    "SELECT 1 FROM image_optimization_jobs FOR NO KEY UPDATE",
    "UPDATE image_optimization_attempts SET status = 'ENDED', outcome = 'succeeded'",
    "UPDATE image_optimization_attempts SET next_check_at = NULL",
    "UPDATE image_optimization_items SET status = 'DONE', result_key = 'k', result_type = 't'",
    "UPDATE image_optimization_jobs SET status = 'DONE', completed_images = 1, finished_at = now()",
)


@on_postgres
def test_a_cancel_waits_for_the_note_that_is_being_written(bare_app: Flask) -> None:
    turn = running(bare_app)

    with beside(bare_app) as (noting, thread):
        noting.execute(NOTE)
        cancel = begin(
            bare_app, thread, lambda: cancellation.cancel_job(turn.instance_id, turn.job_id)
        )
        noting.commit()
        canceled = cancel.result(10)

        assert canceled == (0, 1, [(turn.attempt_id, 1)])
        assert check_is_due(turn.attempt_id)


@on_postgres
def test_a_note_waits_for_the_wish_that_is_being_written(bare_app: Flask) -> None:
    turn = running(bare_app)

    with beside(bare_app) as (canceling, thread):
        canceling.execute(text("SELECT 1 FROM image_optimization_attempts FOR NO KEY UPDATE"))
        canceling.execute(WISH)
        note = begin(bare_app, thread, lambda: lifecycle.note(turn.attempt_id, "p1", 600.0))
        canceling.commit()

        assert note.result(10)
        assert check_is_due(turn.attempt_id)


@on_postgres
def test_a_requeue_waits_for_the_wish_that_is_being_written(bare_app: Flask) -> None:
    turn = running(bare_app, "p1")

    with beside(bare_app) as (canceling, thread):
        canceling.execute(text("SELECT 1 FROM instances FOR NO KEY UPDATE"))
        canceling.execute(WISH)
        requeue = begin(
            bare_app, thread, lambda: lifecycle.requeue(turn.attempt_id, "aborted", backoff=1.0)
        )
        canceling.commit()

        assert requeue.result(10) == (True, None, True)
        assert ledger.account(turn.instance_id).balance == CREDITS


@on_postgres
def test_a_result_that_is_being_written_wins(bare_app: Flask) -> None:
    turn = running(bare_app, "p1")

    with beside(bare_app) as (finishing, thread):
        for statement in FINISH:
            finishing.execute(text(statement))
        cancel = begin(
            bare_app,
            thread,
            lambda: told(lambda _: cancellation.cancel_job(turn.instance_id, turn.job_id), 0),
        )
        finishing.commit()

        assert cancel.result(10) == "AlreadyFinished"
        with Session(db.engine) as session:
            assert session.get_one(Job, turn.job_id).status == Status.DONE
