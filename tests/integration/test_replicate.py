"""What the client sends, what it reads, and what it tells of it."""

import json
import logging
import threading
import traceback
from collections.abc import Iterator

import pytest

from tasks.prediction import ModelInput
from tasks.provider_errors import (
    NotSent,
    Permanent,
)
from tasks.wire import Timeouts
from tests.replicate_bench import LAMP, TOKEN, Bench, replicate_bench, row
from tests.scripted_server import (
    answer,
    garbage,
)


@pytest.fixture
def bench() -> Iterator[Bench]:
    with replicate_bench() as bench:
        yield bench


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


def test_a_create_names_its_model_and_what_that_one_takes(bench: Bench) -> None:
    urls = ("https://shop.example/lamp.jpg", "https://shop.example/style.jpg")
    bench.server.play(answer(201, row(model="google/nano-banana-pro:1f2e")))

    prediction = bench.client.create_image_optimization_prediction(
        ModelInput("brighter", urls, "4:5", "png", "4K"), model="google/nano-banana-pro"
    )

    sent = bench.server.requests[0]
    assert sent.target == "/v1/models/google/nano-banana-pro/predictions"
    assert json.loads(sent.body)["input"] == {
        "prompt": "brighter",
        "image_input": list(urls),
        "aspect_ratio": "4:5",
        "output_format": "png",
        "resolution": "4K",
    }
    assert prediction.model == "google/nano-banana-pro"


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
    drifted = row(
        "aborted", urls=None, version=7, model={}, error={"code": 3}, output={"new": 1}, input=None
    )
    bench.server.play(answer(200, drifted))

    prediction = bench.client.get_prediction("abc123")

    assert (prediction.status, prediction.finished) == ("aborted", True)
    assert prediction.error == '{"code": 3}'
    assert prediction.output is None
    assert prediction.model is None
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


def test_threads_that_share_the_client_get_their_own_answers() -> None:
    with replicate_bench(Timeouts()) as bench:
        bench.server.responder = lambda request: answer(
            200, row(name=request.target.rsplit("/", 1)[1])
        )
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


def test_what_is_out_of_date_once_connected_is_not_sent(bench: Bench) -> None:
    with pytest.raises(NotSent):
        bench.client.create_image_optimization_prediction(LAMP, may_send=lambda: False)

    assert bench.server.requests == []
