"""The client against a server that fails in every way, before and after it accepts."""

import json
import logging
import threading
import time
import traceback
from collections.abc import Iterator

import pytest

from config.settings import Settings
from tasks.prediction import ModelInput
from tasks.provider_errors import (
    Ambiguous,
    OperatorNeeded,
    Permanent,
    ProviderError,
    RateLimited,
    Retryable,
)
from tasks.replicate import Replicate
from tasks.wire import Timeouts
from tests.scripted_server import (
    Script,
    ScriptedServer,
    answer,
    close,
    dripping,
    garbage,
    reset,
    scripted_server,
    silence,
    truncated,
)

TOKEN = "r8_a_token_that_nobody_else_may_see"
FAST = Timeouts(connect=0.3, read=0.3, write=0.3, pool=0.3, total=0.6)
LAMP = ModelInput(prompt="brighter", image_url="https://shop.example/lamp.jpg")
DRIPPING_HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"


def row(status: str = "starting", name: str = "abc123", **fields: object) -> dict[str, object]:
    return {
        "id": name,
        "model": "google/nano-banana",
        "version": "hidden",
        "status": status,
        "input": LAMP.as_json(),
        "output": None,
        "error": None,
        "created_at": "2026-01-02T03:04:05.678Z",
        "urls": {"get": "https://a", "cancel": "https://b"},
        **fields,
    }


def settings(base_url: str) -> Settings:
    return Settings(
        database_url="sqlite:///unused",
        redis_url="redis://unused",
        secret_key="s" * 16,
        replicate_api_token=TOKEN,
        replicate_base_url=base_url,
        poll_interval=0.01,
    )


class Bench:
    """A server, a client, and the calls that the client told of."""

    def __init__(self, server: ScriptedServer, timeouts: Timeouts = FAST) -> None:
        self.server = server
        self.calls: list[tuple[str, str, float]] = []
        self.client = Replicate(
            settings(server.url), lambda *call: self.calls.append(call), timeouts
        )

    def create(self, *scripts: Script) -> ProviderError:
        self.server.play(*scripts)
        with pytest.raises(ProviderError) as caught:
            self.client.create_image_optimization_prediction(LAMP)
        return caught.value

    def get(self, *scripts: Script) -> ProviderError:
        self.server.play(*scripts)
        with pytest.raises(ProviderError) as caught:
            self.client.get_prediction("abc123")
        return caught.value


@pytest.fixture
def bench() -> Iterator[Bench]:
    with scripted_server() as server:
        bench = Bench(server)
        yield bench
        bench.client.close()


def test_a_create_sends_the_models_input_and_the_time_after_which_it_is_canceled(
    bench: Bench,
) -> None:
    bench.server.play(answer(201, row()))

    prediction = bench.client.create_image_optimization_prediction(LAMP, "https://us.example/hook")

    sent = bench.server.requests[0]
    assert (prediction.id, prediction.status, prediction.finished) == ("abc123", "starting", False)
    assert sent.target == "/v1/models/google/nano-banana/predictions"
    assert sent.headers["cancel-after"] == "600s"
    assert sent.headers["authorization"] == f"Bearer {TOKEN}"
    assert "prefer" not in sent.headers
    assert json.loads(sent.body) == {
        "input": {
            "prompt": "brighter",
            "image_input": ["https://shop.example/lamp.jpg"],
            "aspect_ratio": "match_input_image",
            "output_format": "jpg",
        },
        "webhook": "https://us.example/hook",
        "webhook_events_filter": ["completed"],
    }


def test_a_get_reads_the_whole_prediction(bench: Bench) -> None:
    done = row(
        "succeeded",
        output=["https://replicate.delivery/a.jpg"],
        completed_at="2026-01-02T03:04:09Z",
    )
    bench.server.play(answer(200, done))

    prediction = bench.client.get_prediction("abc123")

    assert prediction.finished
    assert prediction.output == "https://replicate.delivery/a.jpg"
    assert prediction.input == LAMP.as_json()
    assert prediction.created_at is not None
    assert prediction.created_at.isoformat() == "2026-01-02T03:04:05.678000+00:00"
    assert prediction.completed_at is not None
    assert "cancel-after" not in bench.server.requests[0].headers


def test_aborted_and_schema_drift_are_read_from_the_raw_answer(bench: Bench) -> None:
    drifted = row("aborted", urls=None, version=7, error={"code": 3}, output={"new": 1}, input=None)
    bench.server.play(answer(200, drifted))

    prediction = bench.client.get_prediction("abc123")

    assert (prediction.status, prediction.finished) == ("aborted", True)
    assert prediction.error == '{"code": 3}'
    assert prediction.output is None
    assert prediction.input == {}


def test_a_cancel_asks_for_the_end_and_returns_the_prediction(bench: Bench) -> None:
    bench.server.play(answer(200, row("canceled")))

    prediction = bench.client.cancel_prediction("abc123")

    assert prediction.status == "canceled"
    assert bench.server.requests[0].target == "/v1/predictions/abc123/cancel"


@pytest.mark.parametrize("name", ["../models/a", "ABC", "", "a/b", "a?b", "a\n", "é"])
def test_an_id_that_could_change_the_path_is_never_sent(bench: Bench, name: str) -> None:
    with pytest.raises(Permanent):
        bench.client.get_prediction(name)

    assert bench.server.requests == []


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
def test_a_reused_connection_that_breaks_is_ambiguous_too(bench: Bench, fault: Script) -> None:
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
    assert time.monotonic() - started < 1.0


def test_an_answer_that_drips_ends_with_the_calls_own_time(bench: Bench) -> None:
    started = time.monotonic()

    error = bench.create(dripping(bench.server, DRIPPING_HEAD, pause=0.05))

    assert isinstance(error, Ambiguous)
    assert time.monotonic() - started < 1.5


def test_a_redirect_is_not_followed_and_means_a_wrong_base_url(bench: Bench) -> None:
    with scripted_server() as other:
        error = bench.create(answer(301, {}, Location=f"{other.url}/v1/predictions"))

        assert isinstance(error, OperatorNeeded)
        assert other.requests == []


def test_a_page_with_an_aborted_row_is_read_whole_and_the_next_one_follows(bench: Bench) -> None:
    second = f"{bench.server.url}/v1/predictions?cursor=two"
    bench.server.play(
        answer(200, {"results": [row("aborted", "a1"), row("failed", "a2")], "next": second}),
        answer(200, {"results": [{"id": None}, 5, row("starting", "a3")], "next": None}),
    )

    found = list(bench.client.list_predictions("2026-01-02T03:04:05+00:00"))

    assert [(one.id, one.status) for one in found] == [
        ("a1", "aborted"),
        ("a2", "failed"),
        ("a3", "starting"),
    ]
    assert [request.target for request in bench.server.requests] == [
        "/v1/predictions?created_after=2026-01-02T03%3A04%3A05%2B00%3A00",
        "/v1/predictions?cursor=two",
    ]


def test_a_next_page_at_another_host_gets_no_request_and_no_token(bench: Bench) -> None:
    with scripted_server() as other:
        page = {"results": [row(name="a1")], "next": f"{other.url}/v1/predictions?cursor=two"}
        bench.server.play(answer(200, page))
        listed = bench.client.list_predictions("2026-01-02T03:04:05Z")

        first = next(listed)
        with pytest.raises(Retryable):
            next(listed)

        assert first.id == "a1"
        assert other.requests == []


def test_a_list_without_end_is_not_taken_for_a_whole_one(bench: Bench) -> None:
    page = {"results": [], "next": f"{bench.server.url}/v1/predictions?cursor=again"}
    bench.server.play(answer(200, page))

    with pytest.raises(Retryable):
        list(bench.client.list_predictions("2026-01-02T03:04:05Z", max_pages=3))

    assert len(bench.server.requests) == 3


@pytest.mark.parametrize("page", [{"next": None}, {"results": 5}, {"results": {"a": 1}}])
def test_a_page_without_rows_is_retryable(bench: Bench, page: dict[str, object]) -> None:
    bench.server.play(answer(200, page))

    with pytest.raises(Retryable):
        list(bench.client.list_predictions("2026-01-02T03:04:05Z"))


def test_optimize_image_follows_to_the_end_through_a_passing_fault(bench: Bench) -> None:
    bench.server.play(
        answer(201, row()),
        answer(500, {}),
        answer(200, row("processing")),
        answer(200, row("succeeded", output="https://replicate.delivery/a.jpg")),
    )

    prediction = bench.client.optimize_image(LAMP)

    assert prediction.output == "https://replicate.delivery/a.jpg"
    assert len(bench.server.requests) == 4


def test_optimize_image_cancels_when_it_is_told_to_stop(bench: Bench) -> None:
    stopping = threading.Event()
    stopping.set()
    bench.server.play(answer(201, row()), answer(200, row("canceled")))

    prediction = bench.client.optimize_image(LAMP, stopping)

    assert prediction.status == "canceled"


def test_every_call_is_told_with_its_outcome(bench: Bench) -> None:
    bench.create(answer(500, {}))
    bench.get(answer(429, {}))
    bench.server.play(answer(200, row()))
    bench.client.get_prediction("abc123")

    told = [(function, outcome) for function, outcome, _ in bench.calls]

    assert told == [
        ("create_prediction", "ambiguous"),
        ("get_prediction", "rate_limited"),
        ("get_prediction", "ok"),
    ]
    assert all(0 < seconds < 5 for _, _, seconds in bench.calls)


def test_the_token_is_in_no_exception_and_no_log(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    echo = {"detail": f"you sent Bearer {TOKEN}", "title": TOKEN}

    errors = [bench.create(script) for script in (answer(422, echo), answer(500, echo), garbage)]

    printed = "".join("".join(traceback.format_exception(error)) for error in errors)
    assert TOKEN not in printed
    assert TOKEN not in caplog.text


def test_threads_that_share_the_client_get_their_own_answers(bench: Bench) -> None:
    bench.server.responder = lambda request: answer(200, row(name=request.target.rsplit("/", 1)[1]))
    mixed: list[str] = []

    def ask(number: int) -> None:
        for turn in range(20):
            name = f"id{number}x{turn}"
            if bench.client.get_prediction(name).id != name:
                mixed.append(name)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert mixed == []
    assert len(bench.server.requests) == 160
