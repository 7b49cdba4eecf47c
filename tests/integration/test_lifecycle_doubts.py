"""Creates in doubt: no image is made twice, and none stays in doubt, on both databases."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from models import ledger, lifecycle
from models.database import db
from models.tables import IN_DOUBT, Attempt, Status
from tasks.download import Stopping
from tasks.gear import Gear
from tasks.provider_errors import Retryable
from tasks.reconcile import reconcile
from tests.outside import Outside, attempt_of, claim_and_vanish, item_of
from tests.shop import PRICE, open_shop, submit

HOUR = 3600.0


def predictions(gear: Gear) -> set[str | None]:
    with gear.database():
        return set(db.session.scalars(select(Attempt.prediction_id)))


def test_what_another_sweep_adopted_is_not_given_up(gear: Gear, outside: Outside) -> None:
    with gear.database():
        submit(open_shop("alice"))
    turn = claim_and_vanish(gear)
    outside.made("p1")

    def adopt_it() -> None:
        with gear.database():
            assert lifecycle.adopt(turn.attempt_id, "p1")

    outside.meanwhile = adopt_it
    reconcile(gear)

    assert item_of(gear, turn).status == Status.RUNNING
    assert predictions(gear) == {"p1"}


def test_two_sweeps_give_each_of_two_equal_images_its_prediction(
    gear: Gear, outside: Outside
) -> None:
    with gear.database():
        alice = open_shop("alice")
        submit(alice)
        submit(alice)
    turns = [claim_and_vanish(gear) for _ in range(2)]
    outside.made("p2")
    outside.made("p1")

    def adopt_the_first() -> None:
        with gear.database():
            assert lifecycle.adopt(turns[0].attempt_id, "p1")

    outside.meanwhile = adopt_the_first
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
    gear: Gear, outside: Outside
) -> None:
    with gear.database():
        alice = open_shop("alice", credits=PRICE)
        submit(alice)
    turn = claim_and_vanish(gear, ago=1.1 * HOUR)
    made_at = datetime.now(UTC) - timedelta(hours=1.1)
    outside.made("p1", input={}, data_removed=True, created_at=made_at)

    reconcile(gear)

    item = item_of(gear, turn)
    assert (item.status, item.error_code) == (Status.FAILED, "result_lost")
    with gear.database():
        assert ledger.account(alice).balance == PRICE


def test_a_list_that_cannot_be_read_keeps_nobody_in_doubt_for_ever(
    gear: Gear, outside: Outside
) -> None:
    with gear.database():
        submit(open_shop("alice"), images=2)
    old = claim_and_vanish(gear, ago=HOUR)
    young = claim_and_vanish(gear)

    def refuse() -> None:
        raise Retryable("the list is too long")

    outside.meanwhile = refuse
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


def test_a_late_answer_goes_to_the_twin_whose_prediction_was_taken(
    gear: Gear, outside: Outside
) -> None:
    with gear.database():
        alice = open_shop("alice")
        submit(alice)
        submit(alice)
    late, twin = claim_and_vanish(gear), claim_and_vanish(gear, deadline=600.0)
    outside.made("p-twin")
    with gear.database():
        assert lifecycle.adopt(late.attempt_id, "p-twin")

        noted = lifecycle.note(late.attempt_id, "p-late", check_in=0)

    assert noted
    assert attempt_of(gear, twin).prediction_id == "p-late"
    assert attempt_of(gear, late).prediction_id == "p-twin"


def test_a_late_answer_goes_to_nobody_elses_image(gear: Gear) -> None:
    with gear.database():
        alice = open_shop("alice")
        submit(alice)
        submit(alice, product="hat")
    late, other = claim_and_vanish(gear), claim_and_vanish(gear, deadline=600.0)
    with gear.database():
        assert lifecycle.requeue(late.attempt_id, "no_trace").moved

        noted = lifecycle.note(late.attempt_id, "p-late", check_in=0)

    assert not noted
    assert attempt_of(gear, other).prediction_id is None
    assert attempt_of(gear, late).cancel_at is not None


def test_a_doubt_leaves_a_living_twin_the_prediction_that_it_is_about_to_note(
    gear: Gear, outside: Outside
) -> None:
    with gear.database():
        submit(open_shop("alice"))
    claim_and_vanish(gear, deadline=600.0)
    with gear.database():
        submit(open_shop("bob"))
        living = lifecycle.claim_next(600.0)
        assert living
    outside.made("p-bob", "processing")

    reconcile(gear)
    with gear.database():
        assert lifecycle.note(living.attempt_id, "p-bob", check_in=0)

    assert attempt_of(gear, living).prediction_id == "p-bob"


def test_one_process_reads_the_list_once_at_a_time(gear: Gear, outside: Outside) -> None:
    with gear.database():
        submit(open_shop("alice"))
    claim_and_vanish(gear, deadline=600.0)
    said: list[str] = []

    outside.meanwhile = lambda: said.append(reconcile(gear))
    reconcile(gear)

    assert said == ["the list is being read"]


def test_a_sweep_that_reads_a_long_list_hears_the_stop(gear: Gear, outside: Outside) -> None:
    with gear.database():
        submit(open_shop("alice"))
    claim_and_vanish(gear)
    outside.made("p1")
    outside.meanwhile = gear.stopping.set

    with pytest.raises(Stopping):
        reconcile(gear)

    assert predictions(gear) == {None}
