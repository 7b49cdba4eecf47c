"""What is foretold of slots, beside the real limiter and the real reasons of its pauses."""

from dataclasses import replace
from typing import Any, NoReturn

import pytest

from tasks.gear import Gear
from tasks.optimize import optimize_next
from tasks.provider_errors import OperatorNeeded, ProviderError, RateLimited, Retryable
from tasks.schedule import Schedule
from tests.limiter_steps import Users, granted
from tests.outside import Outside
from tests.shop import open_shop, submit


class Refusing(Outside):
    """Replicate, which refuses every create alike."""

    def __init__(self, refusal: ProviderError) -> None:
        super().__init__()
        self.refusal = refusal

    def create_image_optimization_prediction(self, *_args: Any, **_facts: Any) -> NoReturn:
        """Refuse."""
        raise self.refusal


@pytest.fixture
def users(redis_url: str) -> Users:
    return Users(redis_url)


@pytest.mark.parametrize(("count", "spacing"), [(3, 0.0), (3, 0.05), (2, 0.4)])
def test_slots_come_when_they_were_foretold(users: Users, count: int, spacing: float) -> None:
    limiter = users.limiter(count=count, window=0.6, spacing=spacing)
    granted(limiter)
    schedule = Schedule(limiter.state())

    late = [granted(limiter).granted_at - _known(schedule, n) for n in range(1, 3 * count)]

    # Never before. Whoever asks later than he could moves what comes after him as well.
    assert min(late) > -0.001


def test_taking_a_slot_when_it_comes_moves_none_of_the_others(users: Users) -> None:
    limiter = users.limiter(count=3, window=60)
    for _ in range(2):
        granted(limiter)
    before = Schedule(limiter.state())

    grant = granted(limiter)

    later = Schedule(limiter.state())
    taken = grant.granted_at - _known(before, 1)
    assert [_known(later, n) - _known(before, n + 1) for n in (1, 2, 4, 300)] == pytest.approx(
        [0, 0, 0, 0], abs=abs(taken) + 0.001
    )


@pytest.mark.parametrize(
    ("refusal", "told"),
    [
        (RateLimited(after=90.0), True),
        (Retryable("connection refused", after=90.0), True),
        (OperatorNeeded("insufficient_credit"), False),
    ],
    ids=["throttled", "unreachable", "operator"],
)
def test_pauses_that_end_by_themselves_are_known_by_their_reason(
    gear: Gear, refusal: ProviderError, told: bool
) -> None:
    with gear.database():
        submit(open_shop("alice"))

    optimize_next(replace(gear, replicate=Refusing(refusal)), patience=10.0)

    state = gear.limiter.state()
    slot = Schedule(state).slot(1)
    assert state.paused_for > 30
    assert slot == pytest.approx(state.now + state.paused_for) if told else slot is None


def _known(schedule: Schedule, number: int) -> float:
    slot = schedule.slot(number)
    assert slot is not None
    return slot
