"""The limit is changed while it is used: nobody keeps an old one, and nothing is forgotten."""

import time
from dataclasses import replace

import pytest

from config.forms import RateLimit
from models.controls import AS_SET, Former, Pace, Terms
from tasks.limiter import Grant, Limiter, Wait
from tasks.schedule import Schedule
from tests.limiter_steps import Users, granted, is_seeding


class Operators(Users):
    """Users of one limiter of 3 in 60 s, which operators change in what they all read."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.terms = AS_SET

    def user(self) -> Limiter:
        """One more user, who reads what operators set."""
        return self.limiter(count=3, window=60, terms=lambda: self.terms)

    def set(self, count: int, window: float, *former: Former, at_once: bool = False) -> None:
        """Write another limit down; `former` is what the database knows of those before."""
        pace = Pace(RateLimit(count, window), 0.0)
        self.terms = Terms(self.terms.revision + 1, pace, former, at_once)

    def reset(self) -> None:
        """Go back to the limit of the settings."""
        self.terms = Terms(self.terms.revision + 1, None)

    def grant(self, limiter: Limiter, times: int) -> list[Grant]:
        """Take so many slots, each of which becomes an attempt."""
        grants = []
        for _ in range(times):
            grants.append(granted(limiter))
            self.claim()
        return grants


@pytest.fixture
def operators(redis_url: str) -> Operators:
    return Operators(redis_url)


def test_who_asks_next_takes_a_change_over_for_everybody(operators: Operators) -> None:
    alice, bob = operators.user(), operators.user()
    operators.grant(alice, 3)
    known_to_bob = operators.terms
    operators.set(5, 60, at_once=True)

    first = alice.ask()
    operators.terms, newest = known_to_bob, operators.terms
    others = [bob.ask() for _ in range(3)]
    operators.terms = newest

    assert first == Wait(0.0, paused=False, reason="limit changed")
    # Bob has not read it yet, and keeps it all the same.
    assert [isinstance(each, Grant) for each in others] == [True, True, False]
    assert bob.state().limit == alice.state().limit == 5
    assert bob.state().window == 60


@pytest.mark.parametrize("limit", [(2, 60), (3, 90), (2, 500)], ids=["lower", "longer", "both"])
def test_what_was_granted_before_counts_afterwards(
    operators: Operators, limit: tuple[int, float]
) -> None:
    limiter = operators.user()
    first = operators.grant(limiter, 3)[3 - limit[0]]
    operators.set(*limit, at_once=True)

    answers = [limiter.ask(), limiter.ask()]

    assert isinstance(answers[1], Wait)
    passed = limiter.state().now - first.granted_at
    assert answers[1].seconds == pytest.approx(limit[1] + 0.2 - passed, abs=0.2)
    assert operators.client.zcard("{darkroom:limiter}:log") == 4


def test_a_limit_that_was_raised_binds_for_one_window_more(operators: Operators) -> None:
    limiter = operators.user()
    operators.set(2, 0.8, at_once=True)
    first = operators.grant(limiter, 2)
    operators.set(6, 0.8)

    changed_at = granted(limiter).granted_at
    more = [granted(limiter).granted_at for _ in range(5)]

    # At the tighter one's pace until a window after the change, and then at the new one's.
    assert changed_at - first[0].granted_at >= 0.8
    moments = [grant.granted_at for grant in first] + [changed_at, *more]
    early = [each for each in moments if each <= first[1].granted_at + 0.8]
    assert all(later - sooner >= 0.8 for sooner, later in zip(early, early[2:], strict=False))
    assert moments[7] - moments[3] < 0.8


def test_an_operator_may_end_what_the_former_limit_forbids(operators: Operators) -> None:
    limiter = operators.user()
    operators.set(1, 3600, at_once=True)
    operators.grant(limiter, 1)
    operators.set(3, 60)
    limiter.ask()
    stuck = limiter.ask()

    operators.set(3, 60, at_once=True)
    limiter.ask()

    assert isinstance(stuck, Wait)
    assert stuck.seconds > 3000
    assert isinstance(limiter.ask(), Grant)


def test_a_window_that_the_log_does_not_reach_back_to_is_read_from_the_database(
    operators: Operators,
) -> None:
    limiter = operators.user()
    operators.claims.append(time.monotonic() - 700)
    operators.grant(limiter, 1)

    operators.set(2, 1000, at_once=True)
    answers = [limiter.ask(), limiter.ask()]

    assert answers[0] == Wait(0.0, paused=False, reason="limit changed")
    assert is_seeding(answers[1])
    assert 250 < waited_for(limiter) < 301


def waited_for(limiter: Limiter) -> float:
    """What the limiter says once it is no longer being seeded."""
    deadline = time.monotonic() + 10
    while is_seeding(answer := limiter.ask()) and time.monotonic() < deadline:
        assert isinstance(answer, Wait)
        time.sleep(min(answer.seconds, 0.05))
    assert isinstance(answer, Wait)
    return answer.seconds


def test_a_flush_forgets_neither_the_new_limit_nor_that_the_former_binds(
    operators: Operators,
) -> None:
    limiter = operators.user()
    operators.grant(limiter, 3)
    operators.set(9, 30, Former(Pace(RateLimit(3, 60), 0.0), left=40))
    limiter.ask()

    operators.client.flushall()
    unseeded = limiter.state()
    seconds = waited_for(limiter)

    assert (unseeded.seeded, unseeded.limit) == (False, 9)
    assert limiter.state().limit == 9
    assert [each.pace.limit for each in limiter.state().former] == [RateLimit(3, 60)]
    assert 38 < seconds <= 40


def test_after_a_reset_the_settings_decide_again(operators: Operators) -> None:
    limiter = operators.user()
    operators.set(9, 60, at_once=True)
    operators.grant(limiter, 4)

    operators.reset()
    limiter.ask()

    assert (limiter.state().limit, limiter.state().former[0].pace.limit.count) == (3, 9)
    other_settings = operators.limiter(count=4, window=60, terms=lambda: operators.terms)
    assert is_seeding(other_settings.ask())


def test_with_a_limit_of_operators_the_settings_of_workers_may_differ(
    operators: Operators,
) -> None:
    operators.set(2, 60, at_once=True)
    new = operators.limiter(count=50, window=60, terms=lambda: operators.terms)
    old = operators.user()

    operators.grant(new, 1)
    operators.grant(old, 1)

    assert isinstance(new.ask(), Wait)
    assert isinstance(old.ask(), Wait)
    assert new.state().slots_used_in_window == 2


@pytest.mark.parametrize(
    "log", [b"no-json 5/30200000", b"17", b'{"run":"x"}', b'{"run":7,"revision":1}']
)
def test_a_log_of_an_older_release_is_not_believed(operators: Operators, log: bytes) -> None:
    operators.client.zadd("{darkroom:limiter}:log", {log: 0})
    limiter = operators.user()

    assert limiter.state().seeded is False
    assert is_seeding(limiter.ask())
    assert granted(limiter).granted_at > 0


def test_slots_come_when_they_were_foretold_while_a_former_limit_binds(
    operators: Operators,
) -> None:
    limiter = operators.user()
    operators.set(2, 0.6, at_once=True)
    operators.grant(limiter, 2)
    operators.set(4, 0.5)
    limiter.ask()
    schedule = Schedule(limiter.state())

    late = [granted(limiter).granted_at - known(schedule, n) for n in range(1, 9)]

    # Never before. Whoever asks later than he could moves what comes after him as well.
    assert min(late) > -0.001


def known(schedule: Schedule, number: int) -> float:
    slot = schedule.slot(number)
    assert slot is not None
    return slot


def test_far_behind_a_former_limit_only_the_new_one_counts(operators: Operators) -> None:
    limiter = operators.user()
    operators.set(30, 60)
    granted(limiter)
    state = replace(limiter.state(), former=(Former(Pace(RateLimit(3, 60), 0.0), 50.0),))

    slots = [known(Schedule(state), n) for n in (1, 2, 3, 32, 62, 30_002)]

    assert slots[1:3] == pytest.approx([state.now, state.now + 50], abs=0.1)
    assert slots[4] - slots[3] == pytest.approx(60.2, abs=0.1)
    assert slots[5] - slots[3] == pytest.approx(999 * 60.2, abs=1)
