"""A create that is known to have arrived ends its window sooner, and breaks no promise."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.forms import RateLimit
from models.controls import AS_SET, Pace, Terms
from tasks.gear import Gear
from tasks.limiter import Grant, Limiter, LimiterUnavailable, Wait
from tasks.optimize import optimize_next
from tests.limiter_steps import Users, granted
from tests.outside import Sending, gear_around
from tests.shop import open_shop, submit

# Seconds between two questions at the most, when the second is to tell of the same moment.
EXACT = 0.03


@pytest.fixture
def users(redis_url: str) -> Users:
    return Users(redis_url)


@pytest.fixture
def gear(database_url: str, redis_url: str, tmp_path: Path) -> Iterator[Gear]:
    with gear_around(Sending(), database_url, redis_url, tmp_path) as built:
        yield built


def next_slot(limiter: Limiter, grant: Grant) -> float:
    """How many seconds after that grant the limiter says that the next slot is."""
    for _ in range(1000):
        before = limiter.state().now
        answer = limiter.ask()
        assert isinstance(answer, Wait)
        # On a busy machine a while may pass between two questions.
        if limiter.state().now - before < EXACT:
            return before + answer.seconds - grant.granted_at
    raise AssertionError(f"no two questions within {EXACT} s")


def test_the_window_begins_when_the_create_arrived(users: Users) -> None:
    limiter = users.limiter(window=30)
    grant = granted(limiter)

    on_its_way = next_slot(limiter, grant)
    limiter.arrived(grant, 0.05)

    assert on_its_way == pytest.approx(30.2, abs=EXACT)
    assert next_slot(limiter, grant) == pytest.approx(30.05, abs=EXACT)


def test_a_late_arrival_changes_nothing(users: Users) -> None:
    limiter = users.limiter(window=30)
    grant = granted(limiter)

    limiter.arrived(grant, 0.7)

    assert next_slot(limiter, grant) == pytest.approx(30.2, abs=EXACT)


def test_what_was_given_back_does_not_return(users: Users) -> None:
    limiter = users.limiter(window=30)
    grant = granted(limiter)
    limiter.give_back(grant)

    limiter.arrived(grant, 0.05)

    assert isinstance(limiter.ask(), Grant)


def test_what_the_log_does_not_know_any_more_stays_unknown(users: Users) -> None:
    limiter = users.limiter(window=30)
    grant = granted(limiter)
    users.claim()
    users.client.flushall()
    granted(users.limiter(count=2, window=30))

    limiter.arrived(grant, 0.0)

    assert users.limiter(count=2, window=30).state().slots_used_in_window == 2


@pytest.mark.parametrize(("count", "distance"), [(2, 1.2), (20, 1.0)], ids=["wide", "tight"])
def test_spacing_is_kept_from_the_grant_itself(users: Users, count: int, distance: float) -> None:
    """Where there is room for it, with the 0.2 s that the create before may have taken."""
    limiter = users.limiter(count=count, window=30, spacing=1.0)
    grant = granted(limiter)

    limiter.arrived(grant, 0.0)

    assert next_slot(limiter, grant) == pytest.approx(distance, abs=EXACT)


def test_a_spacing_that_is_set_later_is_kept_from_what_arrived_before(users: Users) -> None:
    terms = [AS_SET]
    limiter = users.limiter(count=10, window=3, terms=lambda: terms[0])
    grant = granted(limiter)
    limiter.arrived(grant, 0.0)

    terms[0] = Terms(1, Pace(RateLimit(10, 3), 2.0), at_once=True)
    limiter.ask()

    assert next_slot(limiter, grant) == pytest.approx(2.0, abs=EXACT)


def test_spacing_is_kept_where_the_last_grant_is_not_known_any_more(users: Users) -> None:
    limiter = users.limiter(count=20, window=30, spacing=1.0)
    grant = granted(limiter)
    limiter.arrived(grant, 0.0)

    users.client.delete("{darkroom:limiter}:state")

    assert 0.97 <= next_slot(limiter, grant) <= 1.24


def test_no_window_of_arrivals_holds_more_than_the_limit(users: Users) -> None:
    limiter = users.limiter(count=3, window=0.2)
    arrivals = []

    for number in range(12):
        grant = granted(limiter)
        time.sleep(0.03 if number % 4 == 1 else 0.0)
        arrivals.append(time.monotonic())
        limiter.arrived(grant, limiter.age(grant))

    distances = [later - sooner for sooner, later in zip(arrivals, arrivals[3:], strict=False)]
    assert min(distances) >= 0.2
    # Each send costs its own way, and not the 0.2 s that it may take.
    assert sorted(distances)[len(distances) // 2] < 0.35


def test_a_worker_says_that_its_create_has_arrived(gear: Gear) -> None:
    with gear.database():
        submit(open_shop("alice"))

    optimize_next(gear, patience=10.0)

    (counted,) = gear.limiter.state().grants
    granted_at = gear.redis.hget("{darkroom:limiter}:state", "last")
    assert granted_at
    assert 0 < float(granted_at) / 1e6 - counted < 0.2


def test_without_redis_a_create_that_has_arrived_is_written_down_all_the_same(
    gear: Gear, monkeypatch: pytest.MonkeyPatch
) -> None:
    with gear.database():
        submit(open_shop("alice"))

    def unavailable(_grant: Grant, _age: float) -> None:
        raise LimiterUnavailable("gone")

    monkeypatch.setattr(gear.limiter, "arrived", unavailable)

    assert "is prediction" in optimize_next(gear, patience=10.0)
