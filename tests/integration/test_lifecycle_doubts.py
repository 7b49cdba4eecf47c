"""Creates in doubt: no image is made twice, and none stays in doubt, on both databases."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from models import ledger, lifecycle
from models.clock import from_now
from models.database import db
from models.orders import Turn
from models.tables import IN_DOUBT, Attempt, Item, Status
from tasks.download import Stopping
from tasks.gear import Gear, build_gear
from tasks.prediction import ModelInput, Prediction
from tasks.provider_errors import Retryable
from tasks.reconcile import reconcile
from tasks.replicate import Replicate
from tests.databases import bound, check_promises, settings_for
from tests.shop import PRICE, open_shop, order, submit

HOUR = 3600.0


class Listed(Replicate):
    """Replicate with a list that the test writes; `meanwhile` happens once it has been read."""

    def __init__(self) -> None:
        self.predictions: list[Prediction] = []
        self.meanwhile: Callable[[], object] = int

    def list_predictions(
        self, created_after: datetime | str, max_pages: int = 50
    ) -> Iterator[Prediction]:
        meanwhile, self.meanwhile = self.meanwhile, int
        meanwhile()
        yield from self.predictions

    def made(self, id: str, **facts: object) -> None:
        """Show a prediction that has succeeded; it has the input of the first image of an order."""
        image = order().images[0]
        known = ModelInput(image.prompt, image.image_url).as_json()
        shown = Prediction(id, "succeeded", None, None, known, datetime.now(UTC), None, False)
        self.predictions.append(replace(shown, **facts))  # type: ignore[arg-type]


@pytest.fixture
def replicate() -> Listed:
    return Listed()


@pytest.fixture
def gear(database_url: str, redis_url: str, replicate: Listed, tmp_path: Path) -> Iterator[Gear]:
    settings = settings_for(
        database_url, redis_url=redis_url, storage_url=f"file://{tmp_path}/results"
    )
    with bound(database_url) as app:
        gear = build_gear(settings, app)
        gear.replicate.close()
        yield replace(gear, replicate=replicate, stopping=threading.Event())
        with app.app_context():
            check_promises()
        gear.downloader.close()
        gear.redis.close()


def claim_and_vanish(gear: Gear, ago: float = 60.0, deadline: float = 1.0) -> Turn:
    """Claim an item `ago` seconds ago and never be heard of again."""
    with gear.database():
        turn = lifecycle.claim_next(0.0)
        assert turn
        times = {
            "created_at": from_now(-ago),
            "lease_until": from_now(-ago),
            "deadline_at": from_now(deadline - ago),
        }
        db.session.execute(update(Attempt).where(Attempt.id == turn.attempt_id).values(**times))
        db.session.commit()
    return turn


def item_of(gear: Gear, turn: Turn) -> Item:
    with gear.database():
        return db.session.scalars(select(Item).where(Item.id == turn.item_id)).one()


def predictions(gear: Gear) -> set[str | None]:
    with gear.database():
        return set(db.session.scalars(select(Attempt.prediction_id)))


def test_what_another_sweep_adopted_is_not_given_up(gear: Gear, replicate: Listed) -> None:
    with gear.database():
        submit(open_shop("alice"))
    turn = claim_and_vanish(gear)
    replicate.made("p1")
    replicate.meanwhile = lambda: reconcile(gear)

    reconcile(gear)

    assert item_of(gear, turn).status == Status.RUNNING
    assert predictions(gear) == {"p1"}


def test_two_sweeps_give_each_of_two_equal_images_its_prediction(
    gear: Gear, replicate: Listed
) -> None:
    with gear.database():
        alice = open_shop("alice")
        submit(alice)
        submit(alice)
    turns = [claim_and_vanish(gear) for _ in range(2)]
    replicate.made("p2")
    replicate.made("p1")

    def adopt_the_first() -> None:
        with gear.database():
            assert lifecycle.adopt(turns[0].attempt_id, "p1")

    replicate.meanwhile = adopt_the_first
    reconcile(gear)

    assert [item_of(gear, turn).status for turn in turns] == [Status.RUNNING] * 2
    assert predictions(gear) == {"p1", "p2"}


def test_a_create_that_left_no_trace_is_made_again(gear: Gear) -> None:
    with gear.database():
        submit(open_shop("alice"))
    turn = claim_and_vanish(gear)

    reconcile(gear)

    item = item_of(gear, turn)
    assert (item.status, item.failed_attempts) == (Status.PENDING, 1)


def test_what_replicate_may_have_forgotten_is_lost_and_refunded(
    gear: Gear, replicate: Listed
) -> None:
    with gear.database():
        alice = open_shop("alice", credits=PRICE)
        submit(alice)
    turn = claim_and_vanish(gear, ago=1.1 * HOUR)
    made_at = datetime.now(UTC) - timedelta(hours=1.1)
    replicate.made("p1", input={}, data_removed=True, created_at=made_at)

    reconcile(gear)

    item = item_of(gear, turn)
    assert (item.status, item.error_code) == (Status.FAILED, "result_lost")
    with gear.database():
        assert ledger.account(alice).balance == PRICE


def test_a_list_that_cannot_be_read_keeps_nobody_in_doubt_for_ever(
    gear: Gear, replicate: Listed
) -> None:
    with gear.database():
        submit(open_shop("alice"), images=2)
    old = claim_and_vanish(gear, ago=HOUR)
    young = claim_and_vanish(gear)

    def refuse() -> None:
        raise Retryable("the list is too long")

    replicate.meanwhile = refuse
    with pytest.raises(Retryable):
        reconcile(gear)

    assert item_of(gear, old).error_code == "result_lost"
    assert item_of(gear, young).status == Status.RUNNING


def test_a_worker_that_thaws_unsent_does_not_end_what_was_adopted_for_it(gear: Gear) -> None:
    with gear.database():
        submit(open_shop("alice"))
    turn = claim_and_vanish(gear)

    with gear.database():
        assert lifecycle.adopt(turn.attempt_id, "p1")
        moved = lifecycle.requeue(turn.attempt_id, "stale_grant", states=IN_DOUBT)

    assert not moved.moved
    assert item_of(gear, turn).status == Status.RUNNING


def test_a_late_note_of_what_another_adopted_and_finished_is_no_fault(gear: Gear) -> None:
    with gear.database():
        alice = open_shop("alice")
        submit(alice)
        submit(alice)
    first, late = claim_and_vanish(gear), claim_and_vanish(gear)

    with gear.database():
        assert lifecycle.adopt(first.attempt_id, "p1")
        assert not lifecycle.adopt(late.attempt_id, "p1")
        assert lifecycle.finish(first.attempt_id, "key", "image/jpeg")
        assert lifecycle.requeue(late.attempt_id, "no_trace").moved
        assert lifecycle.note(late.attempt_id, "p1", check_in=0)

    assert item_of(gear, first).status == Status.DONE


def test_a_sweep_that_reads_a_long_list_hears_the_stop(gear: Gear, replicate: Listed) -> None:
    with gear.database():
        submit(open_shop("alice"))
    claim_and_vanish(gear)
    replicate.made("p1")
    replicate.meanwhile = gear.stopping.set

    with pytest.raises(Stopping):
        reconcile(gear)

    assert predictions(gear) == {None}
