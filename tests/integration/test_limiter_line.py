"""Who waits for a slot stands in line: he hears when his comes, and is not overtaken."""

import time
from collections.abc import Callable

import pytest

from config.forms import RateLimit
from models.controls import AS_SET, Pace, Terms
from tasks.limiter import Grant, Limiter, Wait
from tasks.line import Stay
from tests.limiter_steps import Users, granted

LINE = "{darkroom:limiter}:line"
WAITING = Stay.UNTIL_GRANTED


@pytest.fixture
def users(redis_url: str) -> Users:
    return Users(redis_url)


def in_line(limiter: Limiter) -> float:
    """Stand in line; return for how long, as the limiter says."""
    answer = limiter.ask(WAITING)
    assert isinstance(answer, Wait)
    return answer.seconds


def soon(is_true: Callable[[], bool], patience: float = 20.0) -> bool:
    """Whether it becomes true."""
    deadline = time.monotonic() + patience
    while not is_true() and time.monotonic() < deadline:
        time.sleep(0.01)
    return is_true()


def test_everybody_hears_of_a_slot_of_his_own(users: Users) -> None:
    first, *others = (users.limiter(count=2, window=30) for _ in range(6))
    granted(first)
    time.sleep(0.3)
    granted(first)

    waits = [in_line(each) for each in others]

    # Two of the next window, two of the one after it, and so on; those behind others are guessed
    # without the 0.2 s that a create may take.
    assert waits == pytest.approx([29.9, 30, 59.9, 60, 89.9], abs=1.5)
    assert waits == sorted(waits)


def test_a_newcomer_does_not_take_the_slot_of_who_waits(users: Users) -> None:
    alice, bob = users.limiter(window=0.3), users.limiter(window=0.3)
    granted(alice)
    in_line(alice)
    assert soon(lambda: alice.turn_in() == 0)

    newcomer, owner = bob.ask(), alice.ask()

    assert isinstance(newcomer, Wait)
    assert isinstance(owner, Grant)


def test_who_does_not_come_has_lost_his_place(users: Users) -> None:
    alice, bob = users.limiter(window=0.3), users.limiter(window=0.3)
    granted(alice)
    in_line(alice)
    far = in_line(bob)

    came = soon(lambda: bob.turn_in() == 0, patience=far + 0.2)

    assert came
    assert isinstance(bob.ask(WAITING), Grant)
    assert in_line(alice) > 0


def test_who_leaves_makes_room(users: Users) -> None:
    alice, bob = users.limiter(window=30), users.limiter(window=30)
    granted(alice)
    in_line(alice)
    behind = in_line(bob)

    alice.leave()

    assert behind == pytest.approx(60, abs=0.5)
    assert bob.turn_in() == pytest.approx(30, abs=0.5)
    assert users.client.zcard(LINE) == 1


def test_to_leave_twice_or_without_a_place_is_nothing(users: Users) -> None:
    limiter = users.limiter(window=30)
    granted(limiter)

    limiter.leave()
    in_line(limiter)
    limiter.leave()
    limiter.leave()

    assert users.client.zcard(LINE) == 0


def test_a_place_may_be_kept_for_the_slot_after_this_one(users: Users) -> None:
    alice, bob = users.limiter(window=30), users.limiter(window=30)
    alice.give_back(granted(alice))

    grant = alice.ask(Stay.FOR_ANOTHER)
    behind = in_line(bob)

    assert isinstance(grant, Grant)
    assert alice.turn_in() == pytest.approx(30, abs=0.3)
    assert behind == pytest.approx(60, abs=0.5)


def test_a_slot_that_is_given_back_is_first_that_of_who_had_it(users: Users) -> None:
    alice, bob = users.limiter(window=30), users.limiter(window=30)
    alice.give_back(granted(alice))
    grant = alice.ask(Stay.FOR_ANOTHER)
    assert isinstance(grant, Grant)
    in_line(bob)

    alice.give_back(grant)

    assert alice.turn_in() == 0
    assert isinstance(bob.ask(WAITING), Wait)
    assert isinstance(alice.ask(WAITING), Grant)


def test_a_slot_that_its_owner_gives_back_and_leaves_is_the_next_ones(users: Users) -> None:
    alice, bob = users.limiter(window=30), users.limiter(window=30)
    grant = granted(alice)
    in_line(bob)

    alice.give_back(grant)

    assert bob.turn_in() == 0
    assert isinstance(bob.ask(WAITING), Grant)


def test_a_pause_calls_everybody(users: Users) -> None:
    limiter = users.limiter(window=30)
    granted(limiter)
    in_line(limiter)

    limiter.pause(60, "throttled")
    answer = limiter.ask(WAITING) if limiter.turn_in() == 0 else None

    assert isinstance(answer, Wait)
    assert answer.paused


def test_another_limit_calls_everybody(users: Users) -> None:
    terms = [AS_SET]
    alice = users.limiter(window=30, terms=lambda: terms[0])
    bob = users.limiter(window=30, terms=lambda: terms[0])
    granted(alice)
    in_line(alice)
    in_line(bob)

    terms[0] = Terms(1, Pace(RateLimit(9, 30), 0.0), at_once=True)
    called = [alice.turn_in(), bob.turn_in()]
    alice.heed(terms[0])

    assert called == [0, 0]
    assert isinstance(alice.ask(WAITING), Grant)
    assert bob.turn_in() == 0
    assert isinstance(bob.ask(WAITING), Grant)


def test_a_line_that_is_lost_costs_a_question(users: Users) -> None:
    limiter = users.limiter(window=30)
    granted(limiter)
    in_line(limiter)

    users.client.delete(LINE)

    assert limiter.turn_in() == 0
    assert in_line(limiter) > 25


def test_who_is_late_takes_the_next_slot(users: Users) -> None:
    """He still had his place when the one behind him came, whose moment was there as well."""
    alice, bob = (users.limiter(count=2, window=0.4, spacing=0.05) for _ in range(2))
    granted(alice)
    granted(alice)
    in_line(alice)
    in_line(bob)
    assert soon(lambda: bob.turn_in() == 0)

    taken = [bob.ask(WAITING), alice.ask(WAITING)]

    assert isinstance(taken[0], Grant)
    assert isinstance(taken[1], Wait)
    assert taken[1].seconds < 0.3
