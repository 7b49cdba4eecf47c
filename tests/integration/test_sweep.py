"""One thing that is out of order keeps the sweep from nothing else, on both databases."""

import pytest
from sqlalchemy import select, text, update

from config.forms import RateLimit
from models import accounts, batches, controls, following, lifecycle
from models.batch_orders import BatchOrder
from models.clock import from_now
from models.controls import Pace
from models.database import db
from models.tables import Instance, Item, Status
from tasks.gear import Gear
from tasks.sweep import announce, sweep_once
from tests.outside import Outside, attempt_of, claim_and_vanish
from tests.shop import PRICE, open_shop, order, submit


def let_one_rest(name: str) -> int:
    """Open a shop whose only image rests, and should be due again by now; return its id."""
    shop = open_shop(name)
    submit(shop)
    turn = lifecycle.claim_next(600.0)
    assert turn
    assert lifecycle.requeue(turn.attempt_id, "model_busy", backoff=60.0).moved
    write(update(Item).where(Item.instance_id == shop).values(not_before=from_now(-1)))
    return shop


def write(statement: object) -> None:
    db.session.execute(statement)  # type: ignore[call-overload]
    db.session.commit()


def rests(shop: int) -> bool:
    moment = db.session.scalar(select(Item.not_before).where(Item.instance_id == shop))
    db.session.rollback()
    return moment is not None


def test_a_row_that_the_database_refuses_to_change_keeps_nothing_else_waiting(gear: Gear) -> None:
    with gear.database():
        good, bad = let_one_rest("good"), open_shop("bad")
        submit(bad)
        # One is due and long expired, and the count says that none is.
        write(update(Instance).where(Instance.id == bad).values(due_items=0))
        write(update(Item).where(Item.instance_id == bad).values(created_at=from_now(-200_000)))

        sweep_once(gear)

        assert not rests(good)
        assert following.seconds_since("sweep") is not None
        write(update(Instance).where(Instance.id == bad).values(due_items=1))


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)  # SQLite locks no rows.
def test_a_row_that_somebody_holds_keeps_nothing_else_waiting(gear: Gear, outside: Outside) -> None:
    with gear.database():
        held, good = let_one_rest("held"), let_one_rest("good")
        submit(open_shop("carol"))
    doubt = claim_and_vanish(gear, deadline=600.0)
    outside.made("p1", "processing")

    with gear.database(), db.engine.connect() as holder:
        # However long the sweep takes on a busy machine: its connections are cut after 15 s.
        holder.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
        holder.execute(text("UPDATE instances SET plan = plan WHERE name = 'held'"))
        sweep_once(gear)

        assert rests(held)
        assert not rests(good)
    assert attempt_of(gear, doubt).prediction_id == "p1"


def test_the_queue_is_filled_up_to_what_the_limit_can_use(gear: Gear) -> None:
    as_set, high = Pace(RateLimit(5, 30.0), 1.0), Pace(RateLimit(720, 30.0), 0.0)
    with gear.database():
        jobs = tuple(order(10, f"cup-{number}") for number in range(70))
        batches.submit(open_shop("alice", credits=100_000), BatchOrder(jobs), PRICE)

        low = announce(gear)
        controls.set_pace(high, as_set, "tests")
        raised = announce(gear)

    assert low == "700 due, 500 messages were missing"
    assert raised == "700 due, 200 messages were missing"


def test_what_a_disabled_shop_has_left_is_never_sent(gear: Gear) -> None:
    with gear.database():
        shop = let_one_rest("alice")
        accounts.disable("alice")

        announce(gear)
        claimed = lifecycle.claim_next(600.0)
        sweep_once(gear)

        status = db.session.scalar(select(Item.status).where(Item.instance_id == shop))
        db.session.rollback()
    assert claimed is None
    assert status == Status.CANCELED
