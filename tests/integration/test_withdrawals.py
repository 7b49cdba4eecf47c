"""Withdrawing what waits: expiry, cancellation and disabled shops, on both databases."""

from collections.abc import Sequence

import pytest
from flask import Flask
from sqlalchemy import select, update

from models import accounts, following, ledger, lifecycle, reports
from models.clock import from_now
from models.database import db
from models.errors import InstanceDisabled
from models.explanations import EXPLANATIONS
from models.orders import Noted, Turn
from models.tables import IdempotencyKey, Item, Status
from tests.shop import DEADLINE, PRICE, open_shop, refunds, submit

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

    assert moves == (False, False, False, Noted.NOT)
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
