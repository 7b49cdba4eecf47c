"""Without its Redis the limiter says so, in bounded time, and grants nothing."""

import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest
import redis

from config.forms import RateLimit
from models.controls import AS_SET
from tasks.limiter import Grant, Limiter, LimiterUnavailable, limiter_redis
from tasks.waiting import SlotQueue
from tests.tether import free_port

ACTIONS: list[Callable[[Limiter], object]] = [
    lambda limiter: limiter.ask(),
    lambda limiter: limiter.give_back(Grant("some", 0.0, 0.0)),
    lambda limiter: limiter.pause(1, "throttled"),
    lambda limiter: limiter.resume(),
    lambda limiter: limiter.state(),
    lambda limiter: SlotQueue(limiter).acquire(
        threading.Event(), lambda: AS_SET, patience=60, claim=lambda grant: grant
    ),
]


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port where somebody listens and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def _limiter(client: redis.Redis) -> Limiter:
    return Limiter(client, RateLimit(5, 30.0), 1.0, lambda _: [])


@pytest.mark.parametrize("action", ACTIONS)
def test_a_redis_that_is_down_grants_nothing(action: Callable[[Limiter], object]) -> None:
    limiter = _limiter(limiter_redis(f"redis://127.0.0.1:{free_port()}/0"))

    with pytest.raises(LimiterUnavailable):
        action(limiter)


def test_a_redis_that_hangs_is_given_up(silent_port: int) -> None:
    limiter = _limiter(limiter_redis(f"redis://127.0.0.1:{silent_port}/0"))
    started = time.monotonic()

    with pytest.raises(LimiterUnavailable):
        limiter.ask()

    assert time.monotonic() - started < 8
