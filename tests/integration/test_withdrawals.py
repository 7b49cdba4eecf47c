"""Withdrawing what waits: expiry, cancellation and disabled shops, on both databases."""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import count
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from models import accounts, following, ledger, lifecycle, reports
from models.clock import from_now
from models.database import db
from models.errors import InstanceDisabled, InsufficientCredits
from models.explanations import EXPLANATIONS
from models.orders import Turn
from models.tables import CreditEntry, EntryKind, Item, Job, Status
from tests.shop import DEADLINE, PRICE, open_shop, order, submit

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
    booked = ledger.entries(shop, limit=100)
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
