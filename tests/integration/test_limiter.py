"""One or two users of the limiter on a real Valkey, step by step."""

import threading
import time
from collections.abc import Callable, Iterator

import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config.settings import RateLimit
from tasks.limiter import Grant, Limiter, Wait, limiter_redis
from tests.valkey import Valkey

LOG, STATE = "{darkroom:limiter}:log", "{darkroom:limiter}:state"


class Database:
    """What the database would tell: when attempts were claimed, by their ages."""

    def __init__(self) -> None:
        self.claims: list[float] = []

    def claim(self) -> None:
        self.claims.append(time.monotonic())

    def recent_sends(self, window: float) -> list[float]:
        now = time.monotonic()
        return [now - claim for claim in self.claims if claim > now - window]


@pytest.fixture
def database() -> Database:
    return Database()


@pytest.fixture
def make(redis_url: str, database: Database) -> Callable[..., Limiter]:
    """Make limiters that share one Redis and one database."""

    def limiter(
        count: int = 1,
        window: float = 1.0,
        spacing: float = 0.0,
        recent_sends: Callable[[float], list[float]] = database.recent_sends,
    ) -> Limiter:
        client = limiter_redis(redis_url)
        return Limiter(client, RateLimit(count, window), spacing, recent_sends)

    return limiter


@pytest.fixture
def client(redis_url: str) -> redis.Redis:
    return limiter_redis(redis_url)


@pytest.fixture
def durable() -> Iterator[Valkey]:
    """A server that keeps its data over a restart."""
    server = Valkey(appendonly=True).start()
    yield server
    server.close()


def test_a_first_start_waits_only_for_the_quiet_time(make: Callable[..., Limiter]) -> None:
    limiter = make(window=60)

    first = limiter.ask()

    assert isinstance(first, Wait)
    assert first.seconds <= 0.25
    assert _grant(limiter, patience=10).granted_at > 0


def test_the_second_of_one_waits_for_the_window(make: Callable[..., Limiter]) -> None:
    limiter = make(window=30)
    _grant(limiter)

    answer = limiter.ask()

    assert isinstance(answer, Wait)
    assert 25 < answer.seconds <= 30.2
    assert (answer.paused, answer.reason) == (False, "limit")


def test_sends_are_spaced_although_grants_age(make: Callable[..., Limiter]) -> None:
    limiter = make(count=5, window=30, spacing=1)
    _grant(limiter)

    answer = limiter.ask()

    assert isinstance(answer, Wait)
    assert answer.seconds <= 1.2
    assert limiter.state().next_slot_in > answer.seconds - 1


def test_a_grant_that_is_given_back_frees_its_slot(make: Callable[..., Limiter]) -> None:
    limiter = make(window=60)
    grant = _grant(limiter)

    limiter.give_back(grant)

    assert isinstance(limiter.ask(), Grant)


def test_a_grant_ages(redis_url: str) -> None:
    now = [100.0]
    limiter = Limiter(
        limiter_redis(redis_url), RateLimit(1, 1), 0, lambda _: [], clock=lambda: now[0]
    )
    grant = _grant(limiter)

    now[0] += 0.19
    fresh = limiter.is_fresh(grant)
    now[0] += 0.02

    assert fresh
    assert not limiter.is_fresh(grant)


def test_a_pause_is_for_everybody_and_ends(make: Callable[..., Limiter]) -> None:
    alice, bob = make(count=9), make(count=9)
    _grant(alice)

    alice.pause(60, "throttled")
    paused = bob.ask()
    bob.resume()

    assert isinstance(paused, Wait)
    assert (paused.paused, paused.reason) == (True, "throttled")
    assert 50 < paused.seconds <= 60
    assert isinstance(alice.ask(), Grant)


def test_a_short_pause_runs_out(make: Callable[..., Limiter]) -> None:
    limiter = make(count=9)
    _grant(limiter)

    limiter.pause(0.05, "throttled")

    assert isinstance(limiter.ask(), Wait)
    assert _grant(limiter, patience=10).granted_at > 0


def test_a_pause_is_never_shortened(make: Callable[..., Limiter]) -> None:
    limiter = make()
    limiter.pause(60, "insufficient_credit")

    limiter.pause(1, "throttled")

    state = limiter.state()
    assert state.paused_for > 50
    assert state.pause_reason == "insufficient_credit"


def test_the_state_tells_everything_and_changes_nothing(
    make: Callable[..., Limiter], client: redis.Redis
) -> None:
    limiter = make(count=2, window=60)
    before = limiter.state()
    untouched = client.exists(LOG, STATE)
    _grant(limiter)

    state = limiter.state()

    assert (before.seeded, untouched) == (False, 0)
    assert (state.limit, state.window, state.spacing) == (2, 60, 0)
    assert (state.seeded, state.slots_used_in_window, state.next_slot_in) == (True, 1, 0)
    assert (state.paused_for, state.pause_reason) == (0, "")


def test_what_was_sent_before_a_loss_is_counted(
    make: Callable[..., Limiter], database: Database, client: redis.Redis
) -> None:
    limiter = make(window=30)
    _grant(limiter)
    database.claim()

    client.flushall()

    assert limiter.state().seeded is False
    assert 25 < _seeded(limiter).seconds <= 30.2


def test_a_claim_that_is_committed_after_the_loss_is_counted(
    make: Callable[..., Limiter], database: Database, client: redis.Redis
) -> None:
    limiter, other = make(window=1), make(window=1)
    grant = _grant(limiter)

    client.flushall()
    late = threading.Timer(0.15, database.claim)
    late.start()
    second = _grant(other, patience=10)
    late.join()

    assert second.granted_at >= grant.granted_at + 1.15


@pytest.mark.parametrize("restart", ["stop", "kill"])
def test_a_restarted_redis_is_not_believed_although_it_kept_its_log(
    restart: str, durable: Valkey, database: Database
) -> None:
    limiter = Limiter(limiter_redis(durable.url), RateLimit(1, 30.0), 0, database.recent_sends)
    _grant(limiter)
    database.claim()

    getattr(durable, restart)()
    durable.start()

    assert _is_seeding(limiter.ask())
    assert 25 < _seeded(limiter).seconds <= 30.2


def test_the_quiet_time_begins_anew_when_redis_restarts(
    durable: Valkey, database: Database
) -> None:
    limiter = Limiter(limiter_redis(durable.url), RateLimit(1, 30.0), 0, database.recent_sends)
    limiter.ask()
    time.sleep(0.3)

    durable.restart()
    answer = limiter.ask()

    assert _is_seeding(answer)
    assert isinstance(answer, Wait)
    assert answer.seconds > 0


def test_a_loss_in_the_future_counts_from_now(
    make: Callable[..., Limiter], client: redis.Redis
) -> None:
    limiter = make()
    limiter.ask()
    client.hincrbyfloat(STATE, "lost_since", 3600e6)

    answer = limiter.ask()

    assert isinstance(answer, Wait)
    assert answer.seconds <= 0.25


def test_a_log_from_the_future_is_not_believed(
    make: Callable[..., Limiter], client: redis.Redis
) -> None:
    limiter = make(count=9)
    grant = _grant(limiter)
    client.zadd(LOG, {"from the future": (grant.granted_at + 3600) * 1e6})

    answer = limiter.ask()

    assert _is_seeding(answer)
    assert _grant(limiter, patience=10).granted_at > 0


def test_a_log_of_another_limit_is_not_believed(
    make: Callable[..., Limiter], database: Database
) -> None:
    old, new = make(count=1, window=0.1), make(count=2, window=30)
    for _ in range(2):
        _grant(old, patience=10)
        database.claim()

    answers = [new.ask(), old.ask()]

    assert all(map(_is_seeding, answers))
    assert _seeded(new).seconds > 25


def test_a_seeder_that_is_late_overwrites_nothing(make: Callable[..., Limiter]) -> None:
    reading, go_on = threading.Event(), threading.Event()

    def slow(_: float) -> list[float]:
        reading.set()
        assert go_on.wait(10)
        return []

    slow_seeder, fast_seeder = make(window=60, recent_sends=slow), make(window=60)
    slow_answers: list[Grant | Wait] = []
    thread = threading.Thread(target=lambda: slow_answers.append(_ask_until_seeded(slow_seeder)))
    thread.start()
    assert reading.wait(10)

    _grant(fast_seeder, patience=10)
    go_on.set()
    thread.join(10)

    assert [(type(answer), answer.reason) for answer in slow_answers if isinstance(answer, Wait)]
    assert isinstance(slow_seeder.ask(), Wait)
    assert slow_seeder.state().slots_used_in_window == 1


def test_what_was_read_before_another_loss_is_not_used(
    make: Callable[..., Limiter], client: redis.Redis
) -> None:
    losses = iter([True, False])
    other = make()

    def recent_sends(_: float) -> list[float]:
        if next(losses):
            client.flushall()
            other.ask()
        return []

    limiter = make(recent_sends=recent_sends)
    answers = [_ask_until_seeded(limiter), limiter.ask()]

    assert answers[0] == Wait(0.0, paused=False, reason="seeding")
    assert _is_seeding(answers[1])
    assert _grant(limiter, patience=10).granted_at > 0


def test_many_seeders_at_once_do_no_harm(make: Callable[..., Limiter], database: Database) -> None:
    database.claim()
    grants: list[Grant] = []
    threads = [
        threading.Thread(target=lambda: grants.append(_grant(make(count=3), patience=20)))
        for _ in range(6)
    ]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    times = sorted(grant.granted_at for grant in grants)
    assert len(times) == 6
    assert all(times[place + 3] - times[place] >= 1.0 for place in range(3))


STEPS = st.lists(
    st.one_of(st.just("ask"), st.just("ask"), st.just("give back"), st.integers(1, 30)),
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
    limiter = Limiter(client, RateLimit(count, 0.04), spacing, lambda _: [], grant_age=0.001)
    kept = [_grant(limiter)]

    for step in steps:
        if isinstance(step, int):
            time.sleep(step / 1000)
        elif step == "give back" and kept:
            limiter.give_back(kept.pop())
        elif step == "ask":
            _ask_and_check(client, limiter, kept, _oracle(kept, count, spacing))


def _oracle(kept: list[Grant], count: int, spacing: float) -> float:
    """Return when the next slot is, in seconds of Redis's clock: DESIGN.md's formula."""
    times = [grant.granted_at for grant in kept]
    strict = spacing + 0.001 if 0 < (spacing + 0.001) * count <= 0.02 and spacing else spacing
    nth = times[-count] + 0.041 if len(times) >= count else 0.0
    return max(nth, times[-1] + strict) if times else nth


def _ask_and_check(client: redis.Redis, limiter: Limiter, kept: list[Grant], slot: float) -> None:
    before, answer, after = _now(client), limiter.ask(), _now(client)
    rounding = 2e-6
    if isinstance(answer, Grant):
        assert answer.granted_at >= slot - rounding
        kept.append(answer)
    else:
        assert before - rounding <= slot - answer.seconds <= after + rounding


def _now(client: redis.Redis) -> float:
    seconds, micros = client.time()
    return float(seconds) + float(micros) / 1e6


def _grant(limiter: Limiter, patience: float = 5.0) -> Grant:
    """Ask until a slot is granted."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        answer = limiter.ask()
        if isinstance(answer, Grant):
            return answer
        time.sleep(min(answer.seconds, 0.05))
    raise AssertionError(f"no slot within {patience} s: {limiter.state()}")


def _ask_until_seeded(limiter: Limiter) -> Grant | Wait:
    """Ask until the answer is no longer that the quiet time has to pass."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        answer = limiter.ask()
        if isinstance(answer, Grant) or answer.reason != "seeding" or answer.seconds == 0:
            return answer
        time.sleep(min(answer.seconds, 0.05))
    raise AssertionError(f"not seeded within 10 s: {limiter.state()}")


def _is_seeding(answer: Grant | Wait) -> bool:
    return isinstance(answer, Wait) and answer.reason == "seeding"


def _seeded(limiter: Limiter) -> Wait:
    """Have the log seeded again, and return the answer of the next question."""
    assert _ask_until_seeded(limiter) == Wait(0.0, paused=False, reason="seeding")
    answer = limiter.ask()
    assert isinstance(answer, Wait)
    return answer
