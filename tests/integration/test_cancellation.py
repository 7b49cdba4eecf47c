"""What was sent and is not wanted any more: Replicate is asked, and its answer decides."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from models import cancellation, ledger, lifecycle, reports
from models.database import db
from models.orders import Turn
from models.tables import Attempt, Status
from tasks.collect import collect
from tasks.gear import Gear
from tasks.heed import heed
from tasks.optimize import optimize_next
from tasks.provider_errors import Permanent, ProviderError, RateLimited, Retryable
from tasks.queues import depths
from tasks.reconcile import reconcile
from tests.outside import Outside, Sending, attempt_of, claim_and_vanish, gear_around, item_of
from tests.shop import PRICE, open_shop, submit

BUSY = "Service is temporarily unavailable due to high demand. Please try again. (E003)"
FLAGGED = "The input was flagged as sensitive. (E005)"
CREDITS = 10 * PRICE


@pytest.fixture
def sending() -> Sending:
    return Sending()


@pytest.fixture
def sending_gear(
    sending: Sending, database_url: str, redis_url: str, tmp_path: Path
) -> Iterator[Gear]:
    """The gear of a process that hears webhooks, so that no message follows predictions."""
    public = "https://darkroom.example"
    with gear_around(sending, database_url, redis_url, tmp_path, public_base_url=public) as built:
        yield built


def start(gear: Gear, prediction: str = "p1", shop: str = "alice") -> Turn:
    """Submit an image that Replicate works on."""
    assert isinstance(gear.replicate, Outside)
    gear.replicate.made(prediction, "processing")
    with gear.database():
        submit(open_shop(shop, credits=CREDITS))
        turn = lifecycle.claim_next(600.0)
        assert turn
        assert lifecycle.note(turn.attempt_id, prediction, check_in=600.0)
    return turn


def cancel(gear: Gear, turn: Turn) -> list[tuple[int, int]]:
    """Its shop cancels the job; return the checks that ask for it."""
    with gear.database():
        return list(cancellation.cancel_job(turn.instance_id, turn.job_id).checks)


def spent(gear: Gear, turn: Turn) -> int:
    """What its shop has paid in the end."""
    with gear.database():
        return CREDITS - ledger.account(turn.instance_id).balance


@pytest.mark.parametrize(("answer", "cost"), [("canceled", PRICE), ("aborted", 0)])
def test_replicates_answer_decides_what_a_canceled_image_costs(
    gear: Gear, outside: Outside, answer: str, cost: int
) -> None:
    turn = start(gear)
    if answer == "aborted":
        outside.made("p1", "aborted")

    checks = cancel(gear, turn)
    said = collect(gear, *checks[0])

    assert checks == [(turn.attempt_id, 1)]
    assert said.endswith(f"is canceled: {answer}")
    assert outside.canceled == ["p1"]
    item = item_of(gear, turn)
    assert (item.status, item.credits_charged, spent(gear, turn)) == (Status.CANCELED, cost, cost)
    with gear.database():
        assert lifecycle.claim_next(600.0) is None
        assert reports.job(turn.instance_id, turn.job_id).status == Status.CANCELED


def test_a_failure_that_is_worth_another_try_gets_none(gear: Gear, outside: Outside) -> None:
    busy, flagged = start(gear), start(gear, "p2", "bob")
    for turn in (busy, flagged):
        cancel(gear, turn)
    outside.made("p1", "failed", error=BUSY)
    outside.made("p2", "failed", error=FLAGGED)

    collect(gear, busy.attempt_id, 1)
    collect(gear, flagged.attempt_id, 1)

    assert (item_of(gear, busy).status, spent(gear, busy)) == (Status.CANCELED, 0)
    assert item_of(gear, flagged).error_code == "content_flagged"


@pytest.mark.parametrize(
    "fault",
    [Permanent("invalid_input", "it has ended"), Retryable("not now")],
    ids=["permanent", "retryable"],
)
def test_a_refused_cancel_leaves_it_to_what_the_prediction_shows(
    gear: Gear, outside: Outside, fault: ProviderError
) -> None:
    turn = start(gear)
    (check,) = cancel(gear, turn)

    def refuse() -> None:
        raise fault

    outside.meanwhile = refuse
    said = collect(gear, *check)

    assert "is looked at again" in said
    assert item_of(gear, turn).status == Status.RUNNING
    assert collect(gear, turn.attempt_id, 2).endswith("is canceled: canceled")


def test_a_follower_that_knew_nothing_of_the_wish_asks_in_vain_once(
    gear: Gear, outside: Outside
) -> None:
    turn = start(gear)

    checks: list[tuple[int, int]] = []
    outside.meanwhile = lambda: checks.extend(cancel(gear, turn))
    first = collect(gear, turn.attempt_id, 1)
    second = collect(gear, *checks[0])

    assert "processing" in first
    assert checks == [(turn.attempt_id, 2)]
    assert second.endswith("is canceled: canceled")


def test_a_webhook_tells_of_the_end_that_was_asked_for(
    hearing_gear: Gear, outside: Outside
) -> None:
    turn = start(hearing_gear)
    cancel(hearing_gear, turn)
    outside.made("p1", "canceled")

    heed(hearing_gear, turn.reference, "p1")

    assert item_of(hearing_gear, turn).status == Status.CANCELED


def test_a_wish_during_the_create_is_heard_as_soon_as_its_id_is_noted(
    sending_gear: Gear, sending: Sending
) -> None:
    with sending_gear.database():
        alice = open_shop("alice", credits=CREDITS)
        job_id = submit(alice).job.id

    def cancel_it() -> None:
        with sending_gear.database():
            assert cancellation.cancel_job(alice, job_id).checks == []

    sending.meanwhile = cancel_it
    said = optimize_next(sending_gear)
    asked_for = depths(sending_gear.redis)["housekeeping"].ready
    with sending_gear.database():
        attempt = db.session.scalars(select(Attempt)).one()

    assert said.endswith("is prediction p1")
    assert asked_for == 1
    assert attempt.next_check_at
    assert attempt.next_check_at < attempt.deadline_at
    assert collect(sending_gear, attempt.id, 1).endswith("is canceled: canceled")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_create_that_was_not_accepted_is_not_sent_again(
    sending_gear: Gear, sending: Sending
) -> None:
    with sending_gear.database():
        alice = open_shop("alice", credits=CREDITS)
        job_id = submit(alice).job.id

    def cancel_it() -> None:
        with sending_gear.database():
            cancellation.cancel_job(alice, job_id)

    sending.meanwhile = cancel_it
    sending.fault = RateLimited("throttled", after=0.1)
    said = optimize_next(sending_gear)

    assert said.endswith("is canceled: throttled")
    assert depths(sending_gear.redis)["replicate"].ready == 0
    with sending_gear.database():
        assert reports.job(alice, job_id).status == Status.CANCELED
        assert ledger.account(alice).balance == CREDITS


def test_creates_in_doubt_end_canceled_whether_they_are_found_or_not(
    gear: Gear, outside: Outside
) -> None:
    with gear.database():
        submit(open_shop("alice", credits=CREDITS))
        submit(open_shop("bob", credits=CREDITS), product="hat")
    found, untraced = claim_and_vanish(gear), claim_and_vanish(gear)
    outside.made("p1", "processing")
    assert cancel(gear, found) == cancel(gear, untraced) == []

    reconcile(gear)
    collect(gear, found.attempt_id, 1)

    assert attempt_of(gear, found).prediction_id == "p1"
    assert outside.canceled == ["p1"]
    assert [item_of(gear, each).status for each in (found, untraced)] == [Status.CANCELED] * 2
    assert (spent(gear, found), spent(gear, untraced)) == (PRICE, 0)


def test_what_turns_up_after_it_was_given_up_is_ended(gear: Gear, outside: Outside) -> None:
    with gear.database():
        submit(open_shop("alice", credits=CREDITS))
    turn = claim_and_vanish(gear)
    cancel(gear, turn)
    reconcile(gear)

    outside.made("p1", "processing")
    outside.predictions["p1"] = replace(
        outside.predictions["p1"], created_at=attempt_of(gear, turn).created_at
    )
    with gear.database():
        noted = lifecycle.note(turn.attempt_id, "p1", check_in=0.0)

    assert not noted
    assert attempt_of(gear, turn).cancel_at is not None
    assert item_of(gear, turn).status == Status.CANCELED
