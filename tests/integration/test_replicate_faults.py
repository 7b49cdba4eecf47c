"""The client against a server that fails in every way, before and after it accepts."""

import time
from collections.abc import Iterator

import pytest

from tasks.provider_errors import (
    Ambiguous,
    OperatorNeeded,
    Permanent,
    RateLimited,
    Retryable,
)
from tasks.replicate import Replicate
from tasks.wire import Timeouts
from tests.replicate_bench import DRIPPING_HEAD, FAST, LAMP, Bench, replicate_bench, row, settings
from tests.scripted_server import (
    Script,
    answer,
    close,
    dripping,
    garbage,
    reset,
    scripted_server,
    silence,
    truncated,
)


@pytest.fixture
def bench() -> Iterator[Bench]:
    with replicate_bench() as bench:
        yield bench


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_get_is_sent_once_whatever_the_status(bench: Bench, status: int) -> None:
    error = bench.get(answer(status, {"detail": "no"}, Retry_After="3600"))

    assert isinstance(error, Retryable)
    assert error.after == 600.0
    assert len(bench.server.requests) == 1


@pytest.mark.parametrize("no_proxy", ["*", "127.0.0.1"])
def test_proxy_variables_bring_no_hidden_retries_back(
    monkeypatch: pytest.MonkeyPatch, no_proxy: str
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("NO_PROXY", no_proxy)
    with scripted_server() as server:
        bench = Bench(server)

        error = bench.get(answer(503, {}))

        bench.client.close()
        assert isinstance(error, Retryable)
        assert len(server.requests) == 1


@pytest.mark.parametrize(
    "throttled",
    [
        answer(429, {"detail": "slow down"}, Retry_After="30"),
        answer(429, {"detail": "slow down", "retry_after": 30}),
        answer(429, {"detail": "Request was throttled. Your rate limit resets in ~30s."}),
    ],
)
def test_a_429_says_how_long_in_three_forms(bench: Bench, throttled: Script) -> None:
    error = bench.create(throttled)

    assert isinstance(error, RateLimited)
    assert error.after == 30.0


@pytest.mark.parametrize(
    ("status", "reason"),
    [(401, "unauthenticated"), (403, "unauthenticated"), (402, "insufficient_credit")],
)
def test_an_account_in_trouble_calls_the_operator(bench: Bench, status: int, reason: str) -> None:
    error = bench.create(answer(status, {"title": "no", "detail": "really no", "status": status}))

    assert isinstance(error, OperatorNeeded)
    assert error.reason == reason


@pytest.mark.parametrize(
    "body", [b"", b"<html>no</html>", b"[]", b'"text"', b"null", b"\xff\xfe", b"[" * 200_000]
)
def test_a_refusal_is_permanent_whatever_its_body(bench: Bench, body: bytes) -> None:
    error = bench.create(answer(422, body))

    assert isinstance(error, Permanent)
    assert error.code == "invalid_input"


def test_a_truncated_refusal_is_still_a_refusal(bench: Bench) -> None:
    assert isinstance(bench.create(truncated(422, b'{"detail":')), Permanent)
    assert isinstance(bench.create(truncated(429, b'{"detail":')), RateLimited)


UNREADABLE = [
    b"",
    b"not json",
    b"[]",
    b"null",
    b"[" * 200_000,
    b'{"status": ' + b"9" * 5000 + b"}",
    b'{"id": "abc123"}',
    b'{"id": 5, "status": "starting"}',
    b'{"id": "../a", "status": "starting"}',
]


@pytest.mark.parametrize("body", UNREADABLE, ids=range(len(UNREADABLE)))
def test_an_accepted_create_without_a_readable_id_is_ambiguous(bench: Bench, body: bytes) -> None:
    assert isinstance(bench.create(answer(201, body)), Ambiguous)


@pytest.mark.parametrize("body", UNREADABLE, ids=range(len(UNREADABLE)))
def test_an_unreadable_answer_to_a_get_is_retryable(bench: Bench, body: bytes) -> None:
    assert isinstance(bench.get(answer(200, body)), Retryable)


def test_an_answer_about_another_prediction_is_not_believed(bench: Bench) -> None:
    assert isinstance(bench.get(answer(200, row(name="other"))), Retryable)


@pytest.mark.parametrize(
    "fault",
    [close, reset, garbage, truncated(201, b'{"id":'), answer(500, {}), answer(503, {})],
    ids=["close", "reset", "garbage", "truncated", "500", "503"],
)
def test_a_fault_after_sending_is_ambiguous_for_a_create_and_retryable_for_a_get(
    bench: Bench, fault: Script
) -> None:
    assert isinstance(bench.create(fault), Ambiguous)
    assert isinstance(bench.get(fault), Retryable)


@pytest.mark.parametrize("fault", [close, reset])
def test_a_reused_connection_that_breaks_is_ambiguous_too(fault: Script) -> None:
    with replicate_bench(Timeouts()) as bench:
        bench.server.play(answer(200, row()), fault)
        bench.client.get_prediction("abc123")

        with pytest.raises(Ambiguous):
            bench.client.create_image_optimization_prediction(LAMP)

        assert len(bench.server.requests) == 2


def test_a_server_that_is_not_there_was_sent_nothing() -> None:
    with scripted_server() as server:
        gone = server.url
    bench = Bench(server)

    with pytest.raises(Retryable) as caught:
        bench.client.create_image_optimization_prediction(LAMP)

    assert gone == server.url
    assert caught.value.outcome == "retryable"
    bench.client.close()


def test_silence_ends_after_the_read_timeout_even_on_a_create(bench: Bench) -> None:
    started = time.monotonic()

    error = bench.create(silence(bench.server))

    assert isinstance(error, Ambiguous)
    assert time.monotonic() - started < 5


@pytest.mark.parametrize("head", [DRIPPING_HEAD, b"HTTP/1.1 200 OK\r\nA: ", b"H"])
def test_an_answer_that_drips_ends_with_the_calls_own_time(bench: Bench, head: bytes) -> None:
    drip = dripping(bench.server, head, pause=0.05)
    started = time.monotonic()

    errors = bench.create(drip), bench.get(drip)

    assert [type(error) for error in errors] == [Ambiguous, Retryable]
    assert time.monotonic() - started < 5


def test_a_proxys_answer_that_drips_ends_with_the_calls_own_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with scripted_server() as server:
        monkeypatch.setenv("http_proxy", server.url)
        monkeypatch.delenv("no_proxy", raising=False)
        client = Replicate(settings("http://replicate.example"), lambda *_call: None, FAST)
        server.play(dripping(server, b"HTTP/1.1 200 OK\r\nA: ", pause=0.05))
        started = time.monotonic()

        with pytest.raises(Retryable, match="ReadTimeout"):
            client.get_prediction("abc123")

        assert time.monotonic() - started < 5
        assert server.requests[0].target.startswith("http://replicate.example/")
        client.close()


def test_a_redirect_is_not_followed_and_means_a_wrong_base_url(bench: Bench) -> None:
    with scripted_server() as other:
        error = bench.create(answer(301, {}, Location=f"{other.url}/v1/predictions"))

        assert isinstance(error, OperatorNeeded)
        assert other.requests == []
