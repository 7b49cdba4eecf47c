"""No instance asks more often than `API_RATE_LIMIT`, and nobody sends bodies without end."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from io import BytesIO

import pytest
import redis
from flask import Flask

from config.forms import RateLimit
from config.settings import Settings
from models import accounts
from tests.api.clients import JOBS, ROUTE, Shop, open_shop, order
from tests.api.conftest import serving
from tests.service import wait_until
from tests.valkey import Valkey

# Long enough that no window ends within a test.
FEW = RateLimit(5, 600.0)
OPEN = ["/healthz", "/readyz", "/metrics", "/openapi.json", "/docs", f"/results/{'a' * 32}.jpg"]


@pytest.fixture
def limited(settings: Settings, redis_url: str) -> Settings:
    return replace(settings, redis_url=redis_url, api_rate_limit=FEW)


@pytest.fixture
def valkey() -> Iterator[Valkey]:
    """A server of the test's own, to be killed or stopped."""
    server = Valkey().start()
    yield server
    server.close()


@contextmanager
def frozen(server: Valkey) -> Iterator[None]:
    """A server that takes connections and answers nothing."""
    assert server.process is not None
    os.kill(server.process.pid, signal.SIGSTOP)
    yield
    os.kill(server.process.pid, signal.SIGCONT)


def statuses(shop: Shop, times: int) -> list[int]:
    return [shop.get("/api/credits").status_code for _ in range(times)]


def seconds(shop: Shop) -> float:
    """How long one request takes."""
    started = time.monotonic()
    shop.get("/api/credits")
    return time.monotonic() - started


def test_an_instance_that_asks_too_often_is_told_when_to_come_back(limited: Settings) -> None:
    with serving(limited) as app:
        alice = open_shop(app, "alice")
        first = statuses(alice, 5)

        answer = alice.post(order())

    problem = answer.get_json()
    assert first == [200] * 5
    assert (answer.status_code, problem["code"]) == (429, "too_many_requests")
    assert answer.content_type == "application/problem+json"
    assert 590 <= int(answer.headers["Retry-After"]) <= 601


def test_after_that_time_it_may_ask_again(settings: Settings, redis_url: str) -> None:
    quick = replace(settings, redis_url=redis_url, api_rate_limit=RateLimit(2, 1.0))
    with serving(quick) as app:
        alice = open_shop(app, "alice")
        wait_until(lambda: alice.get(JOBS).status_code == 429, "the limit is reached", 10)
        refused = alice.get(JOBS)
        started = time.monotonic()

        wait_until(lambda: alice.get(JOBS).status_code == 200, "it may ask again", 10)

    assert time.monotonic() - started <= int(refused.headers.get("Retry-After", "1")) + 1


def test_all_routes_count_together_and_refusals_too(limited: Settings) -> None:
    with serving(limited) as app:
        alice = open_shop(app, "alice")
        (
            alice.get(JOBS),
            alice.get(f"{JOBS}/1"),
            alice.post({}),
            alice.client().head(JOBS, headers=alice.bearer),
            alice.post(order()),
        )

        answer = alice.get("/api/credits")

    assert answer.status_code == 429


def test_an_instance_does_not_use_up_the_limit_of_another(limited: Settings) -> None:
    with serving(limited) as app:
        alice, bob = open_shop(app, "alice"), open_shop(app, "bob")

        refused = statuses(alice, 8)

        assert refused == [200] * 5 + [429] * 3
        assert statuses(bob, 5) == [200] * 5


def test_a_wrong_token_and_none_use_up_nobodys_limit(limited: Settings) -> None:
    with serving(limited) as app:
        alice = open_shop(app, "alice")
        with app.app_context():
            accounts.rotate_token("alice")
        nobody = replace(alice, token="dk_nobody")

        refused = [*statuses(alice, 10), *statuses(nobody, 10)]
        plain = [app.test_client().get(JOBS).status_code for _ in range(10)]

        assert refused + plain == [401] * 30


@pytest.mark.parametrize("path", OPEN)
def test_what_needs_no_instance_is_not_counted(limited: Settings, path: str) -> None:
    with serving(limited) as app:
        alice = open_shop(app, "alice")

        answers = [
            alice.client().get(path, headers=alice.bearer, buffered=True).status_code
            for _ in range(10)
        ]

        assert 429 not in answers
        assert statuses(alice, 1) == [200]


def test_a_browsers_question_is_not_counted(limited: Settings) -> None:
    with serving(limited) as app:
        alice = open_shop(app, "alice")

        asked = [alice.client().options(ROUTE, headers=alice.bearer) for _ in range(10)]

        assert {answer.status_code for answer in asked} == {200}
        assert statuses(alice, 1) == [200]


def test_processes_share_one_count(limited: Settings) -> None:
    with ExitStack() as processes:
        one, other = (processes.enter_context(serving(limited)) for _ in range(2))
        alice = open_shop(one, "alice")

        first = statuses(alice, 3)
        then = statuses(replace(alice, app=other), 4)

    assert (first, then) == ([200] * 3, [200, 200, 429, 429])


def test_what_is_kept_of_a_request_is_a_count(limited: Settings, redis_url: str) -> None:
    with serving(limited) as app, redis.Redis.from_url(redis_url) as client:
        alice = open_shop(app, "alice")
        statuses(alice, 3)

        kept = {key.decode(): client.get(key) for key in client.scan_iter()}

        assert len(kept) == 1
        assert alice.token not in str(kept)
        assert all(0 < client.ttl(key) <= 1200 for key in kept)


def test_without_redis_each_process_counts_for_itself(settings: Settings) -> None:
    with serving(replace(settings, api_rate_limit=FEW)) as app:
        alice, bob = open_shop(app, "alice"), open_shop(app, "bob")

        answers = statuses(alice, 7)
        refused = alice.get(JOBS)

        assert answers == [200] * 5 + [429] * 2
        assert 1 <= int(refused.headers["Retry-After"]) <= 1201
        assert statuses(bob, 5) == [200] * 5


def test_redis_may_die_and_come_back(settings: Settings, valkey: Valkey) -> None:
    limited = replace(settings, redis_url=valkey.url, api_rate_limit=FEW)
    with serving(limited) as app:
        alice = open_shop(app, "alice")
        before = statuses(alice, 3)
        valkey.kill()

        while_away = statuses(alice, 6)
        valkey.start()

        assert before + while_away == [200] * 8 + [429]
        # It has come back empty: the first count there shows that it is used again.
        wait_until(lambda: statuses(alice, 1) == [200], "counted in Redis again", 10)


def test_a_redis_that_hangs_is_waited_for_now_and_then_only(
    settings: Settings, valkey: Valkey
) -> None:
    patient = replace(settings, redis_url=valkey.url, api_rate_limit=RateLimit(10_000, 600.0))
    with serving(patient) as app:
        alice = open_shop(app, "alice")
        statuses(alice, 3)
        with frozen(valkey):
            first = seconds(alice)

            later = [seconds(alice) for _ in range(100)]

    assert first < 5
    # Each of them waiting for its half second would take 50.
    assert sum(later) < 20, later


def send(app: Flask, method: str, path: str, size: int, **environment: object) -> int:
    """The status of a request with a body of so many bytes."""
    return (
        app.test_client()
        .open(
            path,
            method=method,
            input_stream=BytesIO(b" " * size),
            environ_overrides={"CONTENT_LENGTH": str(size), **environment},
            buffered=True,
        )
        .status_code
    )


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("path", [*OPEN, ROUTE, JOBS, "/api/credits", "/nowhere"])
def test_a_body_that_is_announced_too_large_is_refused_everywhere(
    app: Flask, method: str, path: str
) -> None:
    assert send(app, method, path, 256 * 1024 + 1) == 413
    assert send(app, method, path, 256 * 1024) != 413


class Endless(BytesIO):
    """A body that goes on for ever, and how much of it was read."""

    taken = 0

    def read(self, size: int | None = -1, /) -> bytes:
        """Give as much as is asked for."""
        assert size is not None
        assert size >= 0, "all of it was asked for"
        self.taken += size
        return b" " * size

    def readinto(self, buffer: object) -> int:
        """Fill the whole buffer."""
        view = memoryview(buffer)  # type: ignore[arg-type]
        view[:] = b" " * len(view)
        self.taken += len(view)
        return len(view)


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/healthz"), ("POST", "/healthz"), ("GET", JOBS), ("POST", ROUTE), ("POST", JOBS)],
)
def test_a_body_without_end_is_not_read_to_its_end(alice: Shop, method: str, path: str) -> None:
    body = Endless()

    answer = alice.client().open(
        path,
        method=method,
        input_stream=body,
        content_type="application/json",
        headers=alice.bearer,
        environ_overrides={"wsgi.input_terminated": True},
    )

    assert answer.status_code in {200, 405, 413}
    assert body.taken <= 2 * 256 * 1024


def test_a_webhook_may_be_larger_and_is_bounded_all_the_same(app: Flask) -> None:
    path = f"/api/webhooks/replicate/{'a' * 32}"

    assert send(app, "POST", path, 256 * 1024 + 1) in {401, 404}
    assert send(app, "POST", path, 2**20 + 1) == 413
