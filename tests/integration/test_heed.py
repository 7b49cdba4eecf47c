"""A webhook may come twice, late, early, or for what was settled long ago, on both databases."""

from models import lifecycle
from models.orders import Turn
from models.tables import AttemptStatus, Status
from tasks.gear import Gear
from tasks.heed import heed
from tests.outside import Outside, attempt_of, item_of
from tests.shop import open_shop, submit

FLAGGED = "The input was flagged as sensitive. (E005)"


def claim(gear: Gear, shop: str = "alice", images: int = 1) -> Turn:
    """Submit images; the create of the first is on its way."""
    with gear.database():
        submit(open_shop(shop), images)
        turn = lifecycle.claim_next(600.0)
    assert turn
    return turn


def start(gear: Gear) -> Turn:
    """Submit an image whose prediction is p1."""
    turn = claim(gear)
    with gear.database():
        assert lifecycle.note(turn.attempt_id, "p1", check_in=0)
    return turn


def test_a_webhook_settles_its_image(hearing_gear: Gear, outside: Outside) -> None:
    turn = start(hearing_gear)
    outside.made("p1", "failed", error=FLAGGED)

    said = heed(hearing_gear, turn.reference, "p1")

    assert "content_flagged" in said
    assert item_of(hearing_gear, turn).status == Status.FAILED


def test_a_webhook_that_comes_twice_changes_nothing_more(
    hearing_gear: Gear, outside: Outside
) -> None:
    turn = start(hearing_gear)
    outside.made("p1", "failed", error=FLAGGED)
    heed(hearing_gear, turn.reference, "p1")
    before = item_of(hearing_gear, turn)

    said = heed(hearing_gear, turn.reference, "p1")

    assert said == "was settled before"
    assert item_of(hearing_gear, turn).updated_at == before.updated_at


def test_a_body_is_not_believed(hearing_gear: Gear, outside: Outside) -> None:
    turn = start(hearing_gear)
    outside.made("p1", "processing")

    said = heed(hearing_gear, turn.reference, "p1")

    assert "is waited for: processing" in said
    assert item_of(hearing_gear, turn).status == Status.RUNNING


def test_a_webhook_may_outrun_the_creates_own_answer(hearing_gear: Gear, outside: Outside) -> None:
    turn = claim(hearing_gear)
    outside.made("p1", "failed", error=FLAGGED)

    heed(hearing_gear, turn.reference, "p1")
    with hearing_gear.database():
        noted = lifecycle.note(turn.attempt_id, "p1", check_in=0)

    assert item_of(hearing_gear, turn).error_code == "content_flagged"
    assert noted
    assert attempt_of(hearing_gear, turn).cancel_at is None


def test_the_creates_answer_may_be_noted_while_its_webhook_is_heeded(
    hearing_gear: Gear, outside: Outside
) -> None:
    turn = claim(hearing_gear)
    outside.made("p1", "failed", error=FLAGGED)

    def note() -> None:
        with hearing_gear.database():
            assert lifecycle.note(turn.attempt_id, "p1", check_in=0)

    outside.meanwhile = note
    heed(hearing_gear, turn.reference, "p1")

    assert item_of(hearing_gear, turn).error_code == "content_flagged"


def test_a_prediction_that_was_given_to_its_twin_is_the_twins(
    hearing_gear: Gear, outside: Outside
) -> None:
    first = claim(hearing_gear)
    second = claim(hearing_gear, "bob")
    outside.made("p1", "failed", error=FLAGGED)
    with hearing_gear.database():
        assert lifecycle.adopt(second.attempt_id, "p1")

    heed(hearing_gear, first.reference, "p1")

    assert item_of(hearing_gear, second).status == Status.FAILED
    assert item_of(hearing_gear, first).status == Status.RUNNING


def test_an_unknown_reference_changes_nothing(hearing_gear: Gear, outside: Outside) -> None:
    turn = claim(hearing_gear)
    outside.made("p1")

    said = heed(hearing_gear, "x" * 32, "p1")

    assert said == "is not of this service"
    assert attempt_of(hearing_gear, turn).status == AttemptStatus.CREATING
    assert outside.canceled == []


def test_a_signed_webhook_at_another_images_address_is_not_adopted(
    hearing_gear: Gear, outside: Outside
) -> None:
    turn = claim(hearing_gear)
    outside.made("p1", input={"prompt": "somebody else's"})

    heed(hearing_gear, turn.reference, "p1")

    assert attempt_of(hearing_gear, turn).prediction_id is None
    assert outside.canceled == []


def test_a_prediction_of_an_attempt_that_was_given_up_is_canceled(
    hearing_gear: Gear, outside: Outside
) -> None:
    turn = claim(hearing_gear)
    with hearing_gear.database():
        assert lifecycle.fail(turn.attempt_id, "result_lost", refund=True)
    outside.made("p1", "processing")

    heed(hearing_gear, turn.reference, "p1")

    assert outside.canceled == ["p1"]
    attempt = attempt_of(hearing_gear, turn)
    assert (attempt.prediction_id, attempt.cancel_at) == ("p1", None)
    assert item_of(hearing_gear, turn).error_code == "result_lost"


def test_a_second_prediction_of_one_attempt_is_canceled(
    hearing_gear: Gear, outside: Outside
) -> None:
    turn = start(hearing_gear)
    outside.made("p2", "processing")

    heed(hearing_gear, turn.reference, "p2")

    assert outside.canceled == ["p2"]
    assert attempt_of(hearing_gear, turn).prediction_id == "p1"
    assert item_of(hearing_gear, turn).status == Status.RUNNING


def test_a_webhook_that_comes_while_replicate_is_away_is_left_to_the_sweep(
    hearing_gear: Gear, outside: Outside
) -> None:
    turn = claim(hearing_gear)

    said = heed(hearing_gear, turn.reference, "p1")

    assert said.startswith("could not be asked for")
    assert attempt_of(hearing_gear, turn).status == AttemptStatus.CREATING
