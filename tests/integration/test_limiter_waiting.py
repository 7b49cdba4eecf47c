"""Threads of one process that wait for slots behind a single one that asks."""

import threading
import time
from collections.abc import Callable, Iterator

import pytest
import redis

from config.forms import RateLimit
from models.controls import AS_SET
from tasks.limiter import Grant, Limiter, Wait, limiter_redis
from tasks.waiting import NoSlot, NotWanted, Paused, SlotQueue, Stopped, TimedOut
from tests.limiter_steps import keep

LINE = "{darkroom:limiter}:line"


@pytest.fixture
def limiter(redis_url: str) -> Limiter:
    """One slot a minute, seeded."""
    limiter = Limiter(limiter_redis(redis_url), RateLimit(1, 60.0), 0.0, lambda _: [])
    while isinstance(answer := limiter.ask(), Wait):
        time.sleep(answer.seconds)
    limiter.give_back(answer)
    return limiter


@pytest.fixture
def queue(limiter: Limiter) -> SlotQueue:
    return SlotQueue(limiter)


@pytest.fixture
def stop() -> Iterator[threading.Event]:
    """An event that ends whatever a failed test left waiting."""
    event = threading.Event()
    yield event
    event.set()


def test_a_free_slot_is_granted(queue: SlotQueue, stop: threading.Event) -> None:
    outcome = queue.acquire(stop, lambda: AS_SET, patience=5, claim=keep)

    assert isinstance(outcome, Grant)


def test_a_stop_is_heard_by_all_who_wait(
    queue: SlotQueue, limiter: Limiter, stop: threading.Event
) -> None:
    limiter.ask()
    outcomes, join = _in_threads(
        4, lambda: queue.acquire(stop, lambda: AS_SET, patience=60, claim=keep)
    )
    time.sleep(0.2)

    stop.set()
    join(5)

    assert outcomes == [Stopped()] * 4


def test_who_waits_notices_that_nothing_is_due_any_more(
    queue: SlotQueue, limiter: Limiter, stop: threading.Event
) -> None:
    limiter.ask()
    wanted = threading.Event()
    wanted.set()
    outcomes, join = _in_threads(
        3,
        lambda: queue.acquire(
            stop, lambda: AS_SET if wanted.is_set() else None, patience=60, claim=keep
        ),
    )
    time.sleep(0.2)

    wanted.clear()
    join(10)

    assert outcomes == [NotWanted()] * 3


def test_who_waits_gets_a_slot_that_is_given_back(
    queue: SlotQueue, limiter: Limiter, stop: threading.Event
) -> None:
    grant = limiter.ask()
    assert isinstance(grant, Grant)
    outcomes, join = _in_threads(
        1, lambda: queue.acquire(stop, lambda: AS_SET, patience=60, claim=keep)
    )
    time.sleep(0.1)

    limiter.give_back(grant)
    join(10)

    assert [type(outcome) for outcome in outcomes] == [Grant]


def test_a_long_pause_ends_the_wait(
    queue: SlotQueue, limiter: Limiter, stop: threading.Event
) -> None:
    limiter.pause(60, "throttled")

    outcome = queue.acquire(stop, lambda: AS_SET, patience=60, claim=keep)

    assert isinstance(outcome, Paused)
    assert outcome.reason == "throttled"
    assert outcome.seconds > 50


def test_a_short_pause_is_waited_for(
    queue: SlotQueue, limiter: Limiter, stop: threading.Event
) -> None:
    limiter.pause(0.3, "throttled")

    outcome = queue.acquire(stop, lambda: AS_SET, patience=30, claim=keep)

    assert isinstance(outcome, Grant)


def test_patience_ends_in_front_and_behind(
    queue: SlotQueue, limiter: Limiter, stop: threading.Event
) -> None:
    limiter.ask()

    outcomes, join = _in_threads(
        3, lambda: queue.acquire(stop, lambda: AS_SET, patience=0.3, claim=keep)
    )
    join(10)

    assert outcomes == [TimedOut()] * 3


def test_an_error_while_looking_frees_the_place_in_front(
    queue: SlotQueue, stop: threading.Event
) -> None:
    def broken() -> None:
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        queue.acquire(stop, broken, patience=5, claim=keep)

    assert isinstance(queue.acquire(stop, lambda: AS_SET, patience=5, claim=keep), Grant)


def test_redis_hears_one_question_per_process(
    queue: SlotQueue, limiter: Limiter, stop: threading.Event, redis_url: str
) -> None:
    limiter.ask()
    with redis.Redis.from_url(redis_url, socket_timeout=5) as client:
        client.config_resetstat()

        _, join = _in_threads(
            8, lambda: queue.acquire(stop, lambda: AS_SET, patience=60, claim=keep)
        )
        time.sleep(0.5)
        questions = client.info("commandstats")["cmdstat_evalsha"]["calls"]

    assert questions < 4
    stop.set()
    join(5)


def test_who_waits_no_more_is_in_nobodys_way(
    queue: SlotQueue, limiter: Limiter, stop: threading.Event, redis_url: str
) -> None:
    limiter.ask()
    with redis.Redis.from_url(redis_url, socket_timeout=5) as client:
        outcomes, join = _in_threads(
            3, lambda: queue.acquire(stop, lambda: AS_SET, patience=0.4, claim=keep)
        )
        deadline = time.monotonic() + 5
        while not (in_line := client.zcard(LINE)) and time.monotonic() < deadline:
            time.sleep(0.005)
        join(10)

        assert (outcomes, in_line) == ([TimedOut()] * 3, 1)
        assert client.zcard(LINE) == 0


def test_a_slot_nobody_wanted_is_the_next_ones_of_the_same_process(
    queue: SlotQueue, limiter: Limiter, stop: threading.Event
) -> None:
    """A claim that finds nothing gives its grant back, and the wait goes on with that slot."""
    tries: list[Grant] = []

    def claim(grant: Grant) -> Grant | None:
        tries.append(grant)
        if len(tries) > 2:
            return grant
        limiter.give_back(grant)
        return None

    outcomes, join = _in_threads(2, lambda: queue.acquire(stop, lambda: AS_SET, 2, claim=claim))
    join(10)

    assert len(tries) == 3
    assert sorted(type(each).__name__ for each in outcomes) == ["Grant", "TimedOut"]


def _in_threads(
    number: int, what: Callable[[], Grant | NoSlot]
) -> tuple[list[Grant | NoSlot], Callable[[float], None]]:
    """Run `what` in threads; return their outcomes so far, and how to wait for all of them."""
    outcomes: list[Grant | NoSlot] = []
    threads = [
        threading.Thread(target=lambda: outcomes.append(what()), daemon=True) for _ in range(number)
    ]
    for thread in threads:
        thread.start()

    def join(patience: float) -> None:
        for thread in threads:
            thread.join(patience)
        assert not any(thread.is_alive() for thread in threads)

    return outcomes, join
