"""Withdrawing what waits: expiry, cancellation and disabled shops, on both databases."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from models import accounts, following, ledger, lifecycle, reports
from models.clock import from_now
from models.database import db
from models.errors import InstanceDisabled, InsufficientCredits
from models.explanations import EXPLANATIONS
from models.orders import Turn
from models.tables import CreditEntry, EntryKind, IdempotencyKey, Item, Status
from tests.shop import DEADLINE, PRICE, open_shop, submit

CREDITS = 10 * PRICE
DAY = 24 * 3600.0


@pytest.fixture
def alice(in_database: Flask) -> int:
    return open_shop("alice", credits=CREDITS)


@pytest.fixture
def bob(in_database: Flask) -> int:
    return open_shop("bob", credits=CREDITS)


def claim() -> Turn:
    turn = lifecycle.claim_next(DEADLINE)
    assert turn
    return turn


def finish(turn: Turn) -> bool:
    return lifecycle.finish(turn.attempt_id, f"key-{turn.attempt_id}", "image/jpeg")


def rest(turn: Turn) -> None:
    assert lifecycle.requeue(turn.attempt_id, "model_busy", backoff=600.0).moved


def ids(job_id: int) -> list[int]:
    return [item.id for item in reports.items(job_id)]


def statuses(job_id: int) -> list[Status]:
    return [item.status for item in reports.items(job_id)]


def refunds(shop: int) -> list[str]:
    booked = ledger.entries(shop, limit=100_000)
    return sorted(each.reference for each in booked if each.kind == EntryKind.REFUND)


def test_an_expired_image_fails_and_costs_nothing(alice: int) -> None:
    job_id = submit(alice, images=2).job.id
    first, second = ids(job_id)

    assert lifecycle.expire(alice, [first]) == 1

    item = reports.items(job_id)[0]
    assert (item.status, item.error_code) == (Status.FAILED, "expired")
    assert item.error == EXPLANATIONS["expired"].sentence
    assert (item.refunded, item.credits_charged, item.retryable) == (True, 0, True)
    assert ledger.account(alice).balance == CREDITS - PRICE
    assert claim().item_id == second


def test_what_was_claimed_meanwhile_does_not_expire(alice: int) -> None:
    job_id = submit(alice, images=2).job.id
    waiting = ids(job_id)
    turn = claim()

    assert lifecycle.expire(alice, waiting) == 1

    assert statuses(job_id) == [Status.RUNNING, Status.FAILED]
    assert finish(turn)
    assert reports.job(alice, job_id).status == Status.DONE


def test_another_shops_images_do_not_expire(alice: int, bob: int) -> None:
    job_id = submit(bob).job.id

    assert lifecycle.expire(alice, ids(job_id)) == 0

    assert statuses(job_id) == [Status.PENDING]
    assert refunds(alice) == refunds(bob) == []


def test_an_image_expires_once(alice: int) -> None:
    waiting = ids(submit(alice, images=2).job.id)

    expired = [lifecycle.expire(alice, [*waiting, *waiting]) for _ in range(2)]

    assert expired == [2, 0]
    assert refunds(alice) == [f"refund:item:{id}" for id in waiting]


@pytest.mark.parametrize("due", [0, 1])
def test_what_rests_is_withdrawn_without_being_counted_as_due(alice: int, due: int) -> None:
    job_id = submit(alice, images=1 + due).job.id
    rest(claim())

    assert lifecycle.expire(alice, ids(job_id)[:1]) == 1

    assert following.due_items() == due
    assert lifecycle.cancel_waiting(alice) == due


def test_the_oldest_waiting_images_are_canceled_page_by_page(alice: int) -> None:
    job_id = submit(alice, images=5).job.id

    pages = [lifecycle.cancel_waiting(alice, limit=2) for _ in range(4)]

    assert pages == [2, 2, 1, 0]
    assert statuses(job_id) == [Status.CANCELED] * 5
    assert ledger.account(alice).balance == CREDITS
    assert following.due_items() == 0


def test_what_is_due_is_canceled_before_what_rests(alice: int) -> None:
    job_id = submit(alice, images=2).job.id
    rest(claim())

    lifecycle.cancel_waiting(alice, limit=1)

    assert statuses(job_id) == [Status.PENDING, Status.CANCELED]


def test_what_was_sent_is_finished_although_the_rest_was_canceled(alice: int, bob: int) -> None:
    job_id, other = submit(alice, images=3).job.id, submit(bob).job.id
    turn = claim()

    assert lifecycle.cancel_waiting(alice) == 2

    assert reports.job(alice, job_id).status == Status.RUNNING
    assert lifecycle.note(turn.attempt_id, "p1", check_in=0.0)
    assert finish(turn)
    assert ledger.account(alice).balance == CREDITS - PRICE
    assert statuses(other) == [Status.PENDING]


def test_a_canceled_image_has_no_error_and_cost_nothing(alice: int) -> None:
    job_id = submit(alice).job.id

    lifecycle.cancel_waiting(alice)

    (item,) = reports.items(job_id)
    assert (item.error_code, item.error, item.retryable) == (None, None, None)
    assert (item.refunded, item.credits_charged) == (True, 0)
    assert reports.job(alice, job_id).started_at is None


@pytest.mark.parametrize(
    ("ends", "status"),
    [
        (("done", "canceled", "failed"), Status.DONE),
        (("canceled", "expired"), Status.CANCELED),
        (("failed", "canceled"), Status.CANCELED),
        (("failed", "expired"), Status.FAILED),
        (("expired",), Status.FAILED),
        (("done", "expired"), Status.DONE),
    ],
)
def test_a_job_is_what_its_images_became(alice: int, ends: tuple[str, ...], status: Status) -> None:
    job_id = submit(alice, images=len(ends)).job.id
    waiting = dict(zip(ends, ids(job_id), strict=True))
    turns = {turn.item_id: turn for turn in [claim() for _ in ends]}

    for end, item_id in waiting.items():
        become(alice, turns[item_id], end)

    job = reports.job(alice, job_id)
    assert job.status == status
    assert job.finished_at is not None
    free = ("expired", "canceled")
    assert ledger.account(alice).balance == CREDITS - PRICE * sum(e not in free for e in ends)


def become(shop: int, turn: Turn, end: str) -> None:
    """Bring an item that runs to such an end."""
    if end == "done":
        assert finish(turn)
    elif end == "failed":
        assert lifecycle.fail(turn.attempt_id, "model_failed", refund=False)
    else:
        assert lifecycle.requeue(turn.attempt_id, "throttled").moved
        if end == "expired":
            assert lifecycle.expire(shop, [turn.item_id]) == 1
        else:
            assert lifecycle.cancel_waiting(shop) == 1


def test_who_comes_back_to_a_withdrawn_image_changes_nothing(alice: int) -> None:
    job_id = submit(alice).job.id
    stale = claim()
    lifecycle.requeue(stale.attempt_id, "throttled")
    lifecycle.cancel_waiting(alice)

    moves = (
        finish(stale),
        lifecycle.fail(stale.attempt_id, "model_failed", refund=True),
        lifecycle.requeue(stale.attempt_id, "again").moved,
        lifecycle.note(stale.attempt_id, "p1", check_in=0.0),
    )

    assert moves == (False, False, False, False)
    assert statuses(job_id) == [Status.CANCELED]
    assert refunds(alice) == [f"refund:item:{stale.item_id}"]


def test_a_disabled_shop_orders_nothing(alice: int) -> None:
    accounts.disable("alice")

    with pytest.raises(InstanceDisabled):
        submit(alice, key="k1")

    assert reports.jobs(alice) == []
    assert ledger.account(alice).balance == CREDITS
    assert db.session.scalars(select(IdempotencyKey)).all() == []


def test_a_disabled_shop_hears_the_answer_that_it_had_before(alice: int) -> None:
    first = submit(alice, key="k1")
    accounts.disable("alice")

    again = submit(alice, key="k1")

    assert (again.replayed, again.job.id) == (True, first.job.id)


def test_a_disabled_shop_is_found_when_something_becomes_due_again(alice: int, bob: int) -> None:
    submit(alice)
    submit(bob)
    turn = claim()
    accounts.disable("alice")
    before = following.disabled_with_due_items(limit=10)

    lifecycle.requeue(turn.attempt_id, "throttled")

    assert before == []
    assert following.disabled_with_due_items(limit=10) == [alice]
    assert lifecycle.cancel_waiting(alice) == 1
    assert following.disabled_with_due_items(limit=10) == []


def test_only_images_that_still_wait_have_waited_too_long(alice: int, bob: int) -> None:
    old, resting = ids(submit(alice, images=3).job.id), claim()
    rest(resting)
    running = claim()
    other = ids(submit(bob).job.id)
    age([*old, *other])
    submit(bob)

    overdue = following.waiting_too_long(DAY, limit=100)

    assert running.item_id in old
    assert overdue == {alice: [id for id in old if id != running.item_id], bob: other}
    assert following.waiting_too_long(DAY, limit=1) == {alice: [resting.item_id]}


def age(item_ids: Sequence[int]) -> None:
    """They were ordered a day and a second ago."""
    older = update(Item).where(Item.id.in_(item_ids)).values(created_at=from_now(-DAY - 1))
    db.session.execute(older)
    db.session.commit()


@pytest.mark.parametrize("rounds", [25, pytest.param(500, marks=pytest.mark.soak)])
def test_orders_work_and_withdrawals_at_the_same_moment(bare_app: Flask, rounds: int) -> None:
    """Nobody hears of a deadlock, and whatever came first, everything adds up afterwards."""
    with bare_app.app_context():
        shops = [open_shop(name, credits=rounds * 4 * PRICE) for name in ("alice", "bob")]

    run_together(
        bare_app,
        rounds,
        [lambda n: order_one(shops[n % 2], n)] * 2
        + [work] * 4
        + [lambda n: lifecycle.cancel_waiting(shops[n % 2], limit=2)] * 2
        + [lambda _: expire_all(limit=3)] * 2
        + [lambda n: lifecycle.make_due(shops[n % 2])],
    )

    with bare_app.app_context():
        for shop in shops:
            while lifecycle.cancel_waiting(shop):
                pass
        assert reports.items_by_status()[Status.RUNNING] == 0
        assert_each_refund_is_an_items(shops)


def run_together(app: Flask, rounds: int, moves: Sequence[Callable[[int], object]]) -> None:
    """Make each of the moves again and again, each in a thread of its own; raise what it raised."""

    def repeat(move: Callable[[int], object]) -> None:
        with app.app_context():
            for number in range(rounds):
                move(number)

    with ThreadPoolExecutor(len(moves)) as threads:
        for each in [threads.submit(repeat, move) for move in moves]:
            each.result()


def order_one(shop: int, number: int) -> None:
    """With a key of its own, and again with it: that is one order."""
    key = f"{threading.get_ident()}-{number}"
    with suppress(InsufficientCredits):
        first = submit(shop, images=1 + number % 3, key=key)
        assert submit(shop, images=1 + number % 3, key=key).job.id == first.job.id


def work(number: int) -> None:
    """Claim, and come to one end or the other."""
    turn = lifecycle.claim_next(DEADLINE)
    if turn is None:
        return
    match number % 4:
        case 0:
            assert lifecycle.requeue(turn.attempt_id, "throttled").moved
        case 1:
            assert lifecycle.requeue(turn.attempt_id, "model_busy", backoff=0.001).moved
        case 2:
            assert lifecycle.fail(turn.attempt_id, "model_failed", refund=True)
            assert not lifecycle.fail(turn.attempt_id, "model_failed", refund=True)
        case _:
            assert finish(turn)


def expire_all(limit: int) -> None:
    """By a list that others may have made old in the meantime."""
    for shop, waiting in following.waiting_too_long(-DAY, limit).items():
        lifecycle.expire(shop, waiting)


def assert_each_refund_is_an_items(shops: Sequence[int]) -> None:
    with Session(db.engine) as session:
        items = session.scalars(select(Item)).all()
    for shop in shops:
        own = [item for item in items if item.instance_id == shop]
        assert refunds(shop) == sorted(f"refund:item:{each.id}" for each in own if each.refunded)
        charged = sum(item.credits_charged for item in own)
        given = (EntryKind.GRANT, EntryKind.RESET)
        booked = ledger.entries(shop, limit=100_000)
        assert ledger.account(shop).balance == sum_of(booked, given) - charged


def sum_of(booked: Sequence[CreditEntry], kinds: Sequence[EntryKind]) -> int:
    return sum(entry.amount for entry in booked if entry.kind in kinds)
