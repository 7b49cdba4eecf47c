"""The moves of an item's life, on both databases."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask

from models import following, ledger, lifecycle, reports
from models.errors import IdempotencyKeyReused, InsufficientCredits
from models.explanations import EXPLANATIONS
from models.orders import Noted, Turn
from models.tables import Status
from tests.shop import DEADLINE, PRICE, open_shop, order, submit


def claim() -> Turn:
    turn = lifecycle.claim_next(DEADLINE)
    assert turn is not None
    return turn


def test_a_job_is_charged_and_its_images_wait(in_database: Flask) -> None:
    alice = open_shop("alice", credits=100)

    receipt = submit(alice, images=3)

    assert (receipt.credits_used, receipt.credits_remaining) == (45, 55)
    assert (receipt.job.status, receipt.job.total_images) == ("PENDING", 3)
    assert following.due_items() == 3


def test_a_job_that_costs_too_much_writes_nothing(in_database: Flask) -> None:
    alice = open_shop("alice", credits=29)

    with pytest.raises(InsufficientCredits) as refusal:
        submit(alice, images=2)

    assert (refusal.value.cost, refusal.value.balance) == (30, 29)
    assert reports.jobs(alice) == []
    assert ledger.account(alice).balance == 29


def test_an_image_goes_through_its_life(in_database: Flask) -> None:
    alice = open_shop("alice")
    job_id = submit(alice).job.id

    turn = claim()
    assert reports.job(alice, job_id).status == Status.RUNNING
    assert lifecycle.note(turn.attempt_id, "p1", check_in=0)
    assert lifecycle.finish(turn.attempt_id, "key", "image/jpeg")

    job = reports.job(alice, job_id)
    assert (job.status, job.completed_images) == (Status.DONE, 1)
    assert reports.items(job_id)[0].result_key == "key"
    assert reports.result("key").content_type == "image/jpeg"


def test_a_stale_attempt_changes_nothing(in_database: Flask) -> None:
    alice = open_shop("alice")
    job_id = submit(alice).job.id
    stale = claim()
    lifecycle.requeue(stale.attempt_id, "stale_grant")
    current = claim()

    moves = (
        lifecycle.finish(stale.attempt_id, "key", "image/jpeg"),
        lifecycle.fail(stale.attempt_id, "model_failed", refund=True),
        lifecycle.requeue(stale.attempt_id, "again").moved,
        lifecycle.note(stale.attempt_id, "p-stale", check_in=0),
    )

    assert moves == (False, False, False, Noted.NOT)
    assert reports.items(job_id)[0].attempt_id == current.attempt_id


def test_the_fifth_failed_attempt_is_the_last(in_database: Flask) -> None:
    alice = open_shop("alice")
    job_id = submit(alice).job.id
    pauses = []

    for _ in range(lifecycle.MAX_ATTEMPTS):
        moved = lifecycle.requeue(claim().attempt_id, "model_busy", backoff=0.01)
        pauses.append(moved.due_in)
        if moved.due_in:
            wait_until_due(alice)

    assert [pause is None for pause in pauses] == [False] * 4 + [True]
    item = reports.items(job_id)[0]
    assert (item.status, item.error_code) == (Status.FAILED, "too_many_attempts")
    assert item.error == EXPLANATIONS["too_many_attempts"].sentence


def wait_until_due(shop: int) -> None:
    for _ in range(1000):
        if lifecycle.make_due(shop):
            return
    raise AssertionError("the item never became due")


def test_slots_go_round_the_shops(in_database: Flask) -> None:
    shops = [open_shop(name) for name in ("alice", "bob", "charlie")]
    for shop in shops:
        submit(shop, images=4)

    served = [claim().instance_id for _ in range(12)]

    # They are on a plan whose turns are two images long.
    assert served == [shop for shop in shops for _ in range(2)] * 2


def test_a_single_image_overtakes_a_long_queue(in_database: Flask) -> None:
    alice, bob = open_shop("alice"), open_shop("bob")
    for _ in range(20):
        submit(alice, images=10)
    for _ in range(5):
        claim()

    submit(bob)

    assert bob in [claim().instance_id for _ in range(3)]


def test_an_item_in_backoff_delays_nobody(in_database: Flask) -> None:
    alice, bob = open_shop("alice"), open_shop("bob")
    submit(alice)
    lifecycle.requeue(claim().attempt_id, "model_busy", backoff=600)
    submit(bob, images=2)

    served = [lifecycle.claim_next(DEADLINE) for _ in range(3)]

    assert [turn and turn.instance_id for turn in served] == [bob, bob, None]


@pytest.mark.lengthy
@pytest.mark.parametrize("items", [250, pytest.param(5000, marks=pytest.mark.soak)])
def test_sixteen_workers_claim_each_item_once(bare_app: Flask, items: int) -> None:
    with bare_app.app_context():
        for name in ("alice", "bob", "charlie", "dora", "emil"):
            shop = open_shop(name, credits=items * PRICE)
            for _ in range(items // 50):
                submit(shop, images=10)

    def work() -> list[int]:
        claimed = []
        with bare_app.app_context():
            while turn := lifecycle.claim_next(DEADLINE):
                claimed.append(turn.item_id)
                lifecycle.finish(turn.attempt_id, f"key-{turn.item_id}", "image/jpeg")
        return claimed

    with ThreadPoolExecutor(16) as workers:
        claimed = [item for part in workers.map(lambda _: work(), range(16)) for item in part]

    assert len(claimed) == items
    assert max(Counter(claimed).values()) == 1
    with bare_app.app_context():
        assert reports.items_by_status()[Status.DONE] == items


def test_fifty_posts_with_credits_for_ten_make_ten_jobs(bare_app: Flask) -> None:
    with bare_app.app_context():
        alice = open_shop("alice", credits=10 * PRICE)

    def post() -> bool:
        with bare_app.app_context():
            try:
                submit(alice)
            except InsufficientCredits:
                return False
            return True

    with ThreadPoolExecutor(25) as clients:
        accepted = sum(clients.map(lambda _: post(), range(50)))

    assert accepted == 10
    with bare_app.app_context():
        assert ledger.account(alice).balance == 0


def test_the_same_key_from_twenty_threads_charges_once(bare_app: Flask) -> None:
    with bare_app.app_context():
        alice = open_shop("alice", credits=100)

    def post() -> tuple[int, int]:
        with bare_app.app_context():
            receipt = submit(alice, key="k1")
        return receipt.job.id, receipt.credits_remaining

    with ThreadPoolExecutor(20) as clients:
        answers = set(clients.map(lambda _: post(), range(20)))

    assert len(answers) == 1
    with bare_app.app_context():
        assert ledger.account(alice).balance == 100 - PRICE


def test_a_key_with_another_body_is_refused(in_database: Flask) -> None:
    alice = open_shop("alice")
    submit(alice, key="k1")

    with pytest.raises(IdempotencyKeyReused):
        lifecycle.submit(alice, order(images=2), PRICE, "k1")
