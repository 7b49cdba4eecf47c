"""What Redis lost is found in the database, or nothing is granted."""

import threading
import time
from collections.abc import Iterator

import pytest

from tasks.limiter import Grant, Wait
from tests.limiter_steps import Users, ask_until_seeded, granted, is_seeding, seeded
from tests.valkey import Valkey

LOG, STATE = "{darkroom:limiter}:log", "{darkroom:limiter}:state"


@pytest.fixture
def users(redis_url: str) -> Users:
    return Users(redis_url)


@pytest.fixture
def durable() -> Iterator[Valkey]:
    """A server that keeps its data over a restart."""
    server = Valkey(appendonly=True).start()
    yield server
    server.close()


def test_what_was_sent_before_a_loss_is_counted(users: Users) -> None:
    limiter = users.limiter(window=30)
    granted(limiter)
    users.claim()

    users.client.flushall()

    assert limiter.state().seeded is False
    assert 25 < seeded(limiter).seconds <= 30.2


def test_a_claim_that_is_committed_after_the_loss_is_counted(users: Users) -> None:
    limiter, other = users.limiter(window=1), users.limiter(window=1)
    grant = granted(limiter)
    sent: list[bool] = []

    def claim_and_send() -> None:
        users.claim()
        sent.append(limiter.is_fresh(grant))

    users.client.flushall()
    late = threading.Timer(0.15, claim_and_send)
    late.start()
    second = granted(other, patience=10)
    late.join()

    # On a machine that stalls the grant may have aged: then nothing is sent, and all is well too.
    assert sent == [False] or second.granted_at >= grant.granted_at + 1.15


@pytest.mark.parametrize("restart", ["stop", "kill"])
def test_a_restarted_redis_is_not_believed_although_it_kept_its_log(
    restart: str, durable: Valkey
) -> None:
    users = Users(durable.url)
    limiter = users.limiter(window=30)
    granted(limiter)
    users.claim()

    getattr(durable, restart)()
    durable.start()

    assert is_seeding(limiter.ask())
    assert 25 < seeded(limiter).seconds <= 30.2


def test_the_quiet_time_begins_anew_when_redis_restarts(durable: Valkey) -> None:
    users = Users(durable.url)
    limiter = users.limiter(window=30)
    limiter.ask()
    time.sleep(0.3)

    durable.restart()
    answer = limiter.ask()

    assert is_seeding(answer)
    assert isinstance(answer, Wait)
    assert answer.seconds > 0


def test_a_loss_in_the_future_counts_from_now(users: Users) -> None:
    limiter = users.limiter()
    limiter.ask()
    users.client.hincrbyfloat(STATE, "lost_since", 3600e6)

    answer = limiter.ask()

    assert isinstance(answer, Wait)
    assert answer.seconds <= 0.25


def test_a_log_from_the_future_is_not_believed(users: Users) -> None:
    limiter = users.limiter(count=9)
    grant = granted(limiter)
    users.client.zadd(LOG, {"from the future": (grant.granted_at + 3600) * 1e6})

    answer = limiter.ask()

    assert is_seeding(answer)
    assert granted(limiter, patience=10).granted_at > 0


def test_a_log_of_another_limit_is_not_believed(users: Users) -> None:
    old, new = users.limiter(count=1, window=0.1), users.limiter(count=2, window=30)
    for _ in range(2):
        granted(old, patience=10)
        users.claim()

    answers = [new.ask(), old.ask()]

    assert all(map(is_seeding, answers))
    assert seeded(new).seconds > 25


def test_a_seeder_that_is_late_overwrites_nothing(users: Users) -> None:
    reading, go_on = threading.Event(), threading.Event()

    def slow(_: float) -> list[float]:
        reading.set()
        assert go_on.wait(10)
        return []

    slow_seeder, fast_seeder = users.limiter(window=60, recent_sends=slow), users.limiter(window=60)
    slow_answers: list[Grant | Wait] = []
    thread = threading.Thread(target=lambda: slow_answers.append(ask_until_seeded(slow_seeder)))
    thread.start()
    assert reading.wait(10)

    granted(fast_seeder, patience=10)
    go_on.set()
    thread.join(10)

    assert [(type(answer), answer.reason) for answer in slow_answers if isinstance(answer, Wait)]
    assert isinstance(slow_seeder.ask(), Wait)
    assert slow_seeder.state().slots_used_in_window == 1


def test_what_was_read_before_another_loss_is_not_used(users: Users) -> None:
    losses = iter([True, False])
    other = users.limiter()

    def recent_sends(_: float) -> list[float]:
        if next(losses):
            users.client.flushall()
            other.ask()
        return []

    limiter = users.limiter(recent_sends=recent_sends)
    answers = [ask_until_seeded(limiter), limiter.ask()]

    assert answers[0] == Wait(0.0, paused=False, reason="seeding")
    assert is_seeding(answers[1])
    assert granted(limiter, patience=10).granted_at > 0


def test_many_seeders_at_once_do_no_harm(users: Users) -> None:
    users.claim()
    grants: list[Grant] = []
    threads = [
        threading.Thread(target=lambda: grants.append(granted(users.limiter(count=3), patience=20)))
        for _ in range(6)
    ]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    times = sorted(grant.granted_at for grant in grants)
    assert len(times) == 6
    assert all(times[place + 3] - times[place] >= 1.0 for place in range(3))
