"""The stand-in's knobs and its record of what was asked."""

import time
from typing import Any

import httpx
import pytest

from tests.stand_in import StandIn

PATH = "/v1/models/google/nano-banana/predictions"


def create(http: httpx.Client, prompt: str = "brighter", **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return http.post(PATH, json={"input": {"prompt": prompt}}, headers=named)


def ended(http: httpx.Client, prompt: str = "brighter") -> dict[str, Any]:
    document: dict[str, Any] = create(http, prompt, Prefer="wait=5").json()
    return document


def test_only_the_named_knobs_turn_and_a_reset_turns_them_back(stand_in: StandIn) -> None:
    before = stand_in.knobs()

    changed = stand_in.knobs(process_latency=[1, 2], webhooks={"late": 3})
    stand_in.reset()

    differing = {name for name in before if before[name] != changed[name]}
    assert differing == {"process_latency", "webhooks"}
    assert {
        name for name, one in changed["webhooks"].items() if one != before["webhooks"][name]
    } == {"late"}
    assert stand_in.knobs() == before


@pytest.mark.parametrize(
    "wrong",
    [
        {"unknown": 1},
        {"process_latency": -1},
        {"process_latency": [2, 1]},
        {"process_latency": True},
        {"refuse": 403},
        {"output_kind": "gif"},
        {"webhooks": {"unknown": 1}},
        {"webhooks": {"lost": 2}},
        {"faults": [{"kind": "unknown"}]},
        {"outcomes": [{}]},
        {"throttle": {"count": 1}},
        {"canned_result": False, "retention": "long"},
    ],
)
def test_a_knob_that_cannot_be_is_refused_and_nothing_turns(
    stand_in: StandIn, wrong: dict[str, object]
) -> None:
    before = stand_in.knobs()

    with pytest.raises(httpx.HTTPStatusError, match="400"):
        stand_in.knobs(**wrong)

    assert stand_in.knobs() == before


def test_latencies_delay_the_answer_the_start_and_the_end(
    stand_in: StandIn, http: httpx.Client
) -> None:
    stand_in.knobs(create_latency=0.1, start_latency=0.2, process_latency=0.2)
    started = time.monotonic()

    first = create(http).json()
    answered = time.monotonic() - started
    last = ended(http)

    assert first["status"] == "starting"
    assert answered >= 0.1
    assert last["metrics"]["predict_time"] >= 0.2
    assert last["metrics"]["total_time"] >= 0.4


@pytest.mark.parametrize(
    ("form", "tells"),
    [
        ("header", ({"Retry-After": "9"}, {})),
        ("body", ({}, {"retry_after": 9})),
        ("text", ({}, {})),
    ],
)
def test_a_throttle_says_when_to_return_in_one_place_only(
    stand_in: StandIn, http: httpx.Client, form: str, tells: tuple[dict[str, str], dict[str, int]]
) -> None:
    stand_in.knobs(throttle={"count": 1, "window": 60, "form": form, "retry_after": 9})

    statuses = [create(http).status_code, http.get("/v1/predictions").status_code]
    refused = create(http)

    headers, fields = tells
    assert statuses == [201, 200]
    assert refused.status_code == 429
    assert refused.headers.get("Retry-After") == headers.get("Retry-After")
    assert refused.json().get("retry_after") == fields.get("retry_after")
    assert ("resets in ~9s" in refused.json()["detail"]) == (form == "text")
    assert len(stand_in.creates()) == 1


def test_a_throttle_lets_creates_through_again(stand_in: StandIn, http: httpx.Client) -> None:
    stand_in.knobs(throttle={"count": 2, "window": 0.2})

    statuses = [create(http).status_code for _ in range(3)]
    deadline = time.monotonic() + 5
    while create(http).status_code == 429:
        assert time.monotonic() < deadline

    assert statuses == [201, 201, 429]
    times = [one["time"] for one in stand_in.creates()]
    assert times[2] - times[0] >= 0.2


def test_refusals_and_missing_tokens_make_nothing(stand_in: StandIn, http: httpx.Client) -> None:
    stand_in.knobs(refuse=402)
    unpaid = create(http)
    stand_in.knobs(refuse=401)
    unknown = create(http)
    stand_in.knobs(refuse=None)

    nobody = httpx.get(f"{stand_in.url}/v1/account")

    assert (unpaid.status_code, unpaid.json()["title"]) == (402, "Insufficient credit")
    assert (unknown.status_code, unknown.json()["title"]) == (401, "Unauthenticated")
    assert nobody.json() == unknown.json()
    assert nobody.headers["Content-Type"] == "application/problem+json"
    assert stand_in.creates() == []


def test_forced_outcomes_come_in_their_order(stand_in: StandIn, http: httpx.Client) -> None:
    stand_in.knobs(
        outcomes=[
            {"status": "failed", "error": None},
            {"status": "canceled"},
            {"status": "aborted"},
            {"status": "processing", "output": True, "seconds": 0.1},
        ]
    )

    seen = [ended(http) for _ in range(5)]

    statuses = [one["status"] for one in seen]
    assert statuses == ["failed", "canceled", "aborted", "processing", "succeeded"]
    assert [one["error"] for one in seen] == [None] * 5
    assert [bool(one["output"]) for one in seen] == [False, False, False, True, True]
    assert "started_at" not in seen[2]


@pytest.mark.parametrize(
    ("marker", "status", "error"),
    [
        ("[fail E001]", "failed", "(E001)"),
        ("[fail E002]", "failed", "(E002)"),
        ("[fail E003]", "failed", "high demand"),
        ("[fail E004]", "failed", "(E004)"),
        ("[fail E005]", "failed", "flagged as sensitive"),
        ("[fail empty]", "failed", "No image content found in response"),
        ("[fail input]", "failed", "Input validation error: 403 Client Error: Forbidden for url"),
        ("[fail null]", "failed", ""),
        ("[cancel]", "canceled", ""),
        ("[abort]", "aborted", ""),
        ("[unknown]", "succeeded", ""),
    ],
)
def test_a_marker_in_the_prompt_decides_the_end(
    stand_in: StandIn, http: httpx.Client, marker: str, status: str, error: str
) -> None:
    document = ended(http, f"brighter {marker}")

    assert document["status"] == status
    assert error in (document["error"] or "")
    assert (document["error"] is None) == (error == "")


def test_after_the_retention_input_output_and_logs_are_gone(
    stand_in: StandIn, http: httpx.Client
) -> None:
    made = ended(http)
    stand_in.knobs(retention=0)

    after = http.get(made["urls"]["get"]).json()

    assert made["data_removed"] is False
    assert after["data_removed"] is True
    assert (after["input"], after["output"], after["logs"]) == ({}, None, "")
    assert httpx.get(made["output"]).status_code == 404


def test_the_record_tells_what_was_asked_and_by_whom(stand_in: StandIn, http: httpx.Client) -> None:
    before = time.monotonic()
    made = ended(http, "warmer")
    httpx.get(made["output"])

    create_seen, output_seen = stand_in.requests()

    assert (create_seen["method"], create_seen["path"]) == ("POST", PATH)
    assert create_seen["body"] == {"input": {"prompt": "warmer"}}
    assert (create_seen["status"], create_seen["prediction"]) == (201, made["id"])
    assert before < create_seen["time"] < time.monotonic()
    assert (create_seen["authorization"], output_seen["authorization"]) == (True, False)
    assert stand_in.requests(since=1) == [output_seen]
    assert [(one["id"], one["input"]) for one in stand_in.creates()] == [
        (made["id"], {"prompt": "warmer"})
    ]
