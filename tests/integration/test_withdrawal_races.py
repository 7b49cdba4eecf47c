"""Withdrawing while everybody else orders, claims, fails and rests, on both databases."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from models import following, ledger, lifecycle, reports
from models.database import db
from models.errors import InsufficientCredits
from models.tables import CreditEntry, EntryKind, Item, Status
from tests.shop import DEADLINE, PRICE, open_shop, refunds, submit

CREDITS = 10 * PRICE
DAY = 24 * 3600.0


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
            assert lifecycle.finish(turn.attempt_id, f"key-{turn.attempt_id}", "image/jpeg")


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
