"""Turns by the weights of plans, and caps: who is served when, on both databases."""

import random
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.orm import Session

from models import accounts, caps, following, invariants, ledger, lifecycle, moves, places, turns
from models.database import db, transaction
from models.errors import QueueFull
from models.orders import Turn
from models.tables import Instance, Status
from tasks.gear import Gear
from tasks.optimize import optimize_next, rest
from tasks.queues import depths
from tasks.sweep import announce
from tests.integration.test_withdrawal_races import order_one, run_together, work
from tests.outside import Outside
from tests.shop import DEADLINE, PRICE, submit


def open_on(plan: str, images: int = 0) -> int:
    """Open a shop on a plan, with so many images waiting."""
    instance, _token = accounts.create(f"{plan}-{random.randrange(10**9)}", plan)
    ledger.grant(instance.id, 100_000, f"test:{instance.id}")
    for start in range(0, images, 10):
        submit(instance.id, min(10, images - start), product=f"cup-{start}")
    return instance.id


def claim() -> Turn:
    turn = lifecycle.claim_next(DEADLINE)
    assert turn
    return turn


def served(times: int) -> list[int]:
    return [claim().instance_id for _ in range(times)]


def finish(turn: Turn) -> None:
    assert lifecycle.finish(turn.attempt_id, f"key-{turn.attempt_id}", "image/jpeg")


def cap(shop: int, running: int | None = None, waiting: int | None = None) -> None:
    with db.session() as session:
        name = session.get_one(Instance, shop).name
    caps.set_caps(name, running, waiting)


def instance(shop: int) -> Instance:
    with db.session() as session:
        return session.get_one(Instance, shop)


def test_a_turn_is_as_many_images_as_the_plan_weighs(in_database: Flask) -> None:
    free, pro, enterprise = (open_on(plan, 9) for plan in ("free", "pro", "enterprise"))

    order = served(17)

    a_round = [free, pro, pro, *[enterprise] * 4]
    assert order == [*a_round, *a_round, free, pro, pro]


def test_a_turn_ends_where_nothing_more_is_due(in_database: Flask) -> None:
    enterprise, free = open_on("enterprise", 2), open_on("free", 3)
    first = served(3)

    submit(enterprise, 2, product="mug")

    assert first == [enterprise, enterprise, free]
    assert served(3) == [enterprise, enterprise, free]
    assert instance(enterprise).turns_left == 0


def test_what_comes_to_the_front_meanwhile_only_interrupts_a_turn(in_database: Flask) -> None:
    enterprise, pro = open_on("enterprise", 9), open_on("pro", 4)
    first = served(8)
    never_served = open_on("free", 1)

    assert first == [*[enterprise] * 4, pro, pro, enterprise, enterprise]
    assert served(5) == [never_served, enterprise, enterprise, pro, pro]


def test_workers_side_by_side_keep_the_weights(bare_app: Flask) -> None:
    """A worker that meets another one at work does not serve somebody else out of turn."""
    with bare_app.app_context():
        enterprise, free = open_on("enterprise", 120), open_on("free", 40)

    def claim_some(_: int) -> list[int]:
        with bare_app.app_context():
            return [turn.instance_id for _ in range(50) if (turn := lifecycle.claim_next(DEADLINE))]

    with ThreadPoolExecutor(2) as workers:
        counted = Counter(shop for some in workers.map(claim_some, range(2)) for shop in some)

    # Who waits too long for the row in front serves another one rather than nobody, which happens
    # on a busy machine; by skipping that row two workers would serve both alike.
    assert counted[enterprise] / counted[free] > 2.5


def test_a_capped_shop_runs_no_more_than_it_may(in_database: Flask) -> None:
    capped, other = open_on("basic", 9), open_on("basic", 9)
    cap(capped, running=2)
    before = following.due_items()

    first = [claim() for _ in range(5)]
    while_held = (following.due_items(), turns.anything_due(), instance(capped).held_at)
    finish(first[0])
    then = served(3)

    assert before == 2 + 9
    assert [turn.instance_id for turn in first] == [capped, other, capped, other, other]
    assert while_held[:2] == (6, True)
    assert while_held[2]
    assert then == [capped, other, other]


@pytest.mark.parametrize("end", ["failed", "refunded", "requeued", "rests", "lost cap"])
def test_whatever_ends_an_image_makes_room(in_database: Flask, end: str) -> None:
    shop = open_on("enterprise", 3)
    cap(shop, running=1)
    turn = claim()
    assert lifecycle.claim_next(DEADLINE) is None

    match end:
        case "failed" | "refunded":
            assert lifecycle.fail(turn.attempt_id, "model_failed", refund=end == "refunded")
        case "requeued" | "rests":
            pause = 60.0 if end == "rests" else 0.0
            assert lifecycle.requeue(turn.attempt_id, "tested", backoff=pause).moved
        case _:
            cap(shop)

    assert caps.room_made() == (end != "lost cap")
    assert served(1) == [shop]


def test_a_lower_cap_stops_nothing_and_a_disabled_shop_is_not_held(in_database: Flask) -> None:
    shop, disabled = open_on("basic", 5), open_on("basic", 5)
    running = [claim() for _ in range(6)]

    cap(shop, running=2)
    cap(disabled, running=1)
    accounts.disable(instance(disabled).name)

    own = [turn for turn in running if turn.instance_id == shop]
    assert lifecycle.claim_next(DEADLINE) is None
    assert (bool(instance(shop).held_at), instance(disabled).held_at) == (True, None)
    assert following.disabled_with_due_items(9) == [disabled]
    for turn in own[:2]:
        finish(turn)
    assert served(1) == [shop]
    assert lifecycle.cancel_waiting(disabled) == 2


def test_a_full_queue_takes_no_order(in_database: Flask) -> None:
    shop = open_on("basic", 3)
    cap(shop, waiting=4)
    turn = claim()
    lifecycle.requeue(turn.attempt_id, "model_busy", backoff=600.0)

    with pytest.raises(QueueFull) as refusal:
        submit(shop, 2)

    assert (refusal.value.limit, refusal.value.waiting) == (4, 3)
    assert ledger.account(shop).balance == 100_000 + 1_500 - 3 * PRICE
    first = submit(shop, 1, key="k")
    assert submit(shop, 1, key="k").job.id == first.job.id
    with pytest.raises(QueueFull):
        submit(shop, 1)
    with pytest.raises(QueueFull, match="An order of 5 never fits: send fewer at once"):
        submit(shop, 5)


def test_a_move_that_locked_the_instance_before_loses_nothing(in_database: Flask) -> None:
    """Somebody may count what is due and then end what runs, in one transaction."""
    shop = open_on("basic", 2)
    cap(shop, running=1)
    turn = claim()

    @transaction
    def both(session: Session) -> None:
        locked = ledger.lock(session, shop)
        locked.balance, balance = locked.balance + 7, locked.balance
        facts = {"status": Status.FAILED, "error_code": "model_failed", "error": "tested"}
        assert moves.close(session, turn.attempt_id, "model_failed", facts)
        assert locked.balance == balance + 7
        locked.balance = balance

    both()

    assert instance(shop).held_at is None


def test_the_sweep_lets_go_whom_nothing_holds(gear: Gear) -> None:
    with gear.database():
        shop = open_on("basic", 3)
        cap(shop, running=2)
        with db.engine.begin() as connection:
            connection.execute(text("UPDATE instances SET held_at = '2020-01-01 00:00:00.000000'"))
        found = [each.kind for each in invariants.findings()]
        nothing = lifecycle.claim_next(DEADLINE)

        said = announce(gear)

        assert (found, nothing) == (["held_in_vain"], None)
        assert said == "2 due, 2 messages were missing"
        assert served(1) == [shop]


def test_who_is_not_held_although_full_is_found(in_database: Flask) -> None:
    shop = open_on("pro", 3)
    cap(shop, running=1)
    claim()

    broken = "UPDATE instances SET held_at = {}, turns_left = {}"
    with db.engine.begin() as connection:
        connection.execute(text(broken.format("NULL", 2)))
    found = sorted(each.kind for each in invariants.findings())
    with db.engine.begin() as connection:
        connection.execute(text(broken.format("created_at", 0)))

    assert found == ["not_held", "turn"]
    assert caps.held_in_vain(9) == []


def test_room_that_was_made_wakes_somebody(gear: Gear, outside: Outside) -> None:
    with gear.database():
        shop = open_on("basic", 3)
        cap(shop, running=1)
        turn = claim()

    rest(gear, turn.attempt_id, "model_busy")

    assert optimize_next(gear, patience=0.0) != "nothing is due"
    assert depths(gear.redis)["replicate"].total >= 1


def test_everything_at_the_same_moment_with_caps_and_weights(bare_app: Flask) -> None:
    """Nobody hears of a deadlock, and whatever came first, everything adds up afterwards."""
    with bare_app.app_context():
        shops = [open_on(plan) for plan in ("free", "enterprise")]
        cap(shops[1], running=3, waiting=40)

    def order_some(number: int) -> None:
        try:
            order_one(shops[number % 2], number)
        except QueueFull:
            lifecycle.cancel_waiting(shops[1], limit=5)

    def look(number: int) -> None:
        cap(shops[0], running=2 + number % 2 if number % 3 else None)
        places.waiting(shops[number % 2], [number])

    everybody: list[Callable[[int], object]] = [*[order_some] * 2, *[work] * 4, look]
    run_together(bare_app, 20, everybody)

    with bare_app.app_context():
        for shop in shops:
            caps.look_again(shop)
        assert not invariants.findings()
