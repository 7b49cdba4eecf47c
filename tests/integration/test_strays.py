"""Predictions that nobody wants are ended, others' are left alone, on both databases."""

from models import lifecycle, strays
from models.orders import Turn
from tasks.gear import Gear
from tasks.measure import read_unknown
from tasks.provider_errors import Retryable
from tasks.reconcile import reconcile
from tasks.strays import cancel_all_unwanted
from tests.outside import Outside, attempt_of, claim_and_vanish
from tests.shop import open_shop, submit


def give_up(gear: Gear, final: bool, ago: float = 60.0) -> Turn:
    """Submit an image whose create left no trace, for good or to be made again."""
    with gear.database():
        submit(open_shop("alice"))
    turn = claim_and_vanish(gear, ago)
    with gear.database():
        lifecycle.requeue(
            turn.attempt_id, "no_trace", backoff=60.0, attempts=1 if final else 5, refund=True
        )
    return turn


def test_what_was_created_after_all_for_a_final_image_is_canceled(
    gear: Gear, outside: Outside
) -> None:
    turn = give_up(gear, final=True)
    outside.made("p1", "processing")

    reconcile(gear)
    cancel_all_unwanted(gear)

    assert outside.canceled == ["p1"]
    assert attempt_of(gear, turn).prediction_id == "p1"
    assert read_unknown(gear.redis) == 0


def test_what_was_created_for_an_image_that_waits_again_is_left_alone(
    gear: Gear, outside: Outside
) -> None:
    give_up(gear, final=False)
    outside.made("p1", "processing")

    reconcile(gear)
    cancel_all_unwanted(gear)

    assert outside.canceled == []
    assert read_unknown(gear.redis) == 0


def test_somebody_elses_predictions_are_counted_and_never_touched(
    gear: Gear, outside: Outside
) -> None:
    give_up(gear, final=True)
    for number in range(3):
        outside.made(f"playground{number}", "processing", input={"prompt": "a cat"})

    reconcile(gear)
    cancel_all_unwanted(gear)

    assert outside.canceled == []
    assert read_unknown(gear.redis) == 3


def test_a_create_under_way_is_nobodys_stray(gear: Gear, outside: Outside) -> None:
    give_up(gear, final=True)
    with gear.database():
        submit(open_shop("bob"))
        assert lifecycle.claim_next(600.0)
    outside.made("p1", "processing")

    reconcile(gear)
    cancel_all_unwanted(gear)

    assert outside.canceled == []
    assert read_unknown(gear.redis) == 0


def test_the_list_is_read_every_few_minutes_without_any_doubt(gear: Gear, outside: Outside) -> None:
    looks: list[str] = []

    for name in ("first", "second"):
        outside.meanwhile = lambda name=name: looks.append(name)  # type: ignore[misc]
        reconcile(gear)

    assert looks == ["first"]


def test_a_stray_is_asked_for_again_until_its_end_is_confirmed(
    gear: Gear, outside: Outside
) -> None:
    turn = give_up(gear, final=True)
    outside.made("p1", "processing")
    with gear.database():
        assert not lifecycle.note(turn.attempt_id, "p1", check_in=0)

    def fall_silent() -> None:
        raise Retryable("no answer")

    outside.meanwhile = fall_silent
    cancel_all_unwanted(gear)
    waits_until = attempt_of(gear, turn).cancel_at
    asked_at_once_again = cancel_all_unwanted(gear)

    assert waits_until is not None
    assert asked_at_once_again == 0
    assert outside.predictions["p1"].status == "processing"


def test_a_silent_replicate_is_not_asked_about_every_stray(gear: Gear, outside: Outside) -> None:
    with gear.database():
        submit(open_shop("alice"), images=3)
        for number in range(3):
            turn = lifecycle.claim_next(600.0)
            assert turn
            lifecycle.fail(turn.attempt_id, "result_lost", refund=True)
            assert strays.trace(turn.attempt_id, f"p{number}")

    def fall_silent() -> None:
        raise Retryable("no answer")

    outside.meanwhile = fall_silent
    cancel_all_unwanted(gear)

    assert outside.canceled == ["p0"]


def test_somebody_elses_like_prediction_long_after_is_not_touched(
    gear: Gear, outside: Outside
) -> None:
    give_up(gear, final=True, ago=840.0)
    outside.made("staging", "processing")

    reconcile(gear)
    cancel_all_unwanted(gear)

    assert outside.canceled == []
    assert read_unknown(gear.redis) == 1


def test_what_replicate_has_forgotten_needs_no_canceling(gear: Gear) -> None:
    turn = give_up(gear, final=True)
    with gear.database():
        assert strays.trace(turn.attempt_id, "p1")

    cancel_all_unwanted(gear)

    assert attempt_of(gear, turn).cancel_at is None
