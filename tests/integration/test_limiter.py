"""One or two users of the limiter on a real Valkey, step by step."""

import time

import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config.forms import RateLimit
from tasks.limiter import Grant, Limiter, Wait, limiter_redis
from tests.limiter_steps import Users, granted

LOG, STATE = "{darkroom:limiter}:log", "{darkroom:limiter}:state"


@pytest.fixture
def users(redis_url: str) -> Users:
    return Users(redis_url)


def test_a_first_start_waits_only_for_the_quiet_time(users: Users) -> None:
    limiter = users.limiter(window=60)

    first = limiter.ask()

    assert isinstance(first, Wait)
    assert first.seconds <= 0.25
    assert granted(limiter, patience=10).granted_at > 0


def test_the_second_of_one_waits_for_the_window(users: Users) -> None:
    limiter = users.limiter(window=30)
    granted(limiter)

    answer = limiter.ask()

    assert isinstance(answer, Wait)
    assert 25 < answer.seconds <= 30.2
    assert (answer.paused, answer.reason) == (False, "limit")


def test_sends_are_spaced_although_grants_age(users: Users) -> None:
    """A send may come 0.2 s after its grant, the next one at once."""
    limiter = users.limiter(count=5, window=30, spacing=0.2)

    first, second = granted(limiter), granted(limiter)

    assert second.granted_at - first.granted_at >= 0.399


def test_a_grant_that_is_given_back_frees_its_slot(users: Users) -> None:
    limiter = users.limiter(window=60)
    grant = granted(limiter)

    limiter.give_back(grant)

    assert isinstance(limiter.ask(), Grant)


def test_a_grant_ages(users: Users) -> None:
    now = [100.0]
    limiter = users.limiter(clock=lambda: now[0])
    grant = granted(limiter)

    now[0] += 0.19
    fresh = limiter.is_fresh(grant)
    now[0] += 0.02

    assert fresh
    assert not limiter.is_fresh(grant)


def test_a_pause_is_for_everybody_and_ends(users: Users) -> None:
    alice, bob = users.limiter(count=9), users.limiter(count=9)
    granted(alice)

    alice.pause(60, "throttled")
    paused = bob.ask()
    bob.resume()

    assert isinstance(paused, Wait)
    assert (paused.paused, paused.reason) == (True, "throttled")
    assert 50 < paused.seconds <= 60
    assert isinstance(alice.ask(), Grant)


def test_a_short_pause_runs_out(users: Users) -> None:
    limiter = users.limiter(count=9)
    granted(limiter)

    limiter.pause(0.05, "throttled")

    assert isinstance(limiter.ask(), Wait)
    assert granted(limiter, patience=10).granted_at > 0


def test_a_pause_is_never_shortened(users: Users) -> None:
    limiter = users.limiter()
    limiter.pause(60, "insufficient_credit")

    limiter.pause(1, "throttled")

    state = limiter.state()
    assert state.paused_for > 50
    assert state.pause_reason == "insufficient_credit"


def test_the_state_tells_everything_and_changes_nothing(users: Users) -> None:
    limiter = users.limiter(count=2, window=60)
    before = limiter.state()
    untouched = users.client.exists(LOG, STATE)
    granted(limiter)

    state = limiter.state()

    assert (before.seeded, untouched) == (False, 0)
    assert (state.limit, state.window, state.spacing) == (2, 60, 0)
    assert (state.seeded, state.slots_used_in_window, state.next_slot_in) == (True, 1, 0)
    assert (state.paused_for, state.pause_reason) == (0, "")


STEPS = st.lists(
    st.one_of(
        st.just("ask"), st.just("ask"), st.just("give back"), st.just("arrive"), st.integers(1, 30)
    ),
    min_size=5,
    max_size=40,
)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(count=st.integers(1, 4), spacing=st.sampled_from([0.0, 0.004]), steps=STEPS)
def test_grants_come_neither_too_early_nor_too_late(
    redis_url: str, count: int, spacing: float, steps: list[str | int]
) -> None:
    """An oracle that forgets nothing agrees with the log that keeps the last N."""
    client = limiter_redis(redis_url)
    client.flushall()
    limiter = Limiter(client, RateLimit(count, 0.04), spacing, lambda _: [], grant_age=AGE)
    first = granted(limiter)
    last: Grant | None = first
    kept = {first: first.granted_at}

    for step in steps:
        if isinstance(step, int):
            time.sleep(step / 1000)
        elif step == "give back" and kept:
            limiter.give_back(kept.popitem()[0])
            last = None
        elif step == "arrive" and kept:
            grant = list(kept)[-1]
            limiter.arrived(grant, 0.002)
            kept[grant] = grant.granted_at - AGE + 0.002
        elif step == "ask":
            slot = _oracle(sorted(kept.values()), last, count, spacing)
            if new := _ask_and_check(client, limiter, slot):
                kept[new], last = new.granted_at, new


AGE = 0.004


def _oracle(times: list[float], last: Grant | None, count: int, spacing: float) -> float:
    """Return when the next slot is, in seconds of Redis's clock, by the formula."""
    nth = times[-count] + 0.04 + AGE if len(times) >= count else 0.0
    if not spacing or not times:
        return nth
    strict = spacing + AGE if (spacing + AGE) * count <= 0.02 else spacing
    # One that was given back leaves open when the one before it was granted at the latest.
    return max(nth, (last.granted_at if last else times[-1] + AGE) + strict)


def _ask_and_check(client: redis.Redis, limiter: Limiter, slot: float) -> Grant | None:
    before, answer, after = _now(client), limiter.ask(), _now(client)
    rounding = 2e-6
    if isinstance(answer, Grant):
        assert answer.granted_at >= slot - rounding
        return answer
    assert before - rounding <= slot - answer.seconds <= after + rounding
    return None


def _now(client: redis.Redis) -> float:
    seconds, micros = client.time()
    return float(seconds) + float(micros) / 1e6
