"""Every fault of the stand-in, before and after a create was accepted, as httpx sees it."""

import io
import time

import httpx
import pytest
from PIL import Image

from tests.stand_in import StandIn

PATH = "/v1/models/google/nano-banana/predictions"
ORDER = {"input": {"prompt": "brighter"}}
PHASES = pytest.mark.parametrize(("phase", "made"), [("before", 0), ("after", 1)])


def break_create(stand_in: StandIn, phase: str, kind: str, **more: object) -> None:
    stand_in.knobs(faults=[{"endpoint": "create", "phase": phase, "kind": kind, **more}])


@PHASES
def test_a_status_comes_instead_of_the_answer(
    stand_in: StandIn, http: httpx.Client, phase: str, made: int
) -> None:
    break_create(stand_in, phase, "status", status=503, retry_after=7)

    answer = http.post(PATH, json=ORDER)

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "7")
    assert len(stand_in.creates()) == made
    assert http.post(PATH, json=ORDER).status_code == 201


@PHASES
@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("reset", httpx.ReadError),
        ("close", httpx.RemoteProtocolError),
        ("truncated", httpx.RemoteProtocolError),
        ("garbage", httpx.RemoteProtocolError),
    ],
)
def test_a_broken_connection_is_seen_and_the_next_create_works(
    stand_in: StandIn,
    http: httpx.Client,
    phase: str,
    made: int,
    kind: str,
    error: type[httpx.TransportError],
) -> None:
    break_create(stand_in, phase, kind)

    with pytest.raises(error):
        http.post(PATH, json=ORDER)

    assert len(stand_in.creates()) == made
    assert http.post(PATH, json=ORDER).status_code == 201
    assert [seen["fault"] for seen in stand_in.requests()] == [f"{kind} {phase}", None]
    assert [seen["status"] for seen in stand_in.requests()] == [None, 201]


@PHASES
def test_a_delay_outlasts_the_clients_patience(
    stand_in: StandIn, http: httpx.Client, phase: str, made: int
) -> None:
    break_create(stand_in, phase, "delay", seconds=0.3)

    with pytest.raises(httpx.ReadTimeout):
        http.post(PATH, json=ORDER, timeout=0.1)

    assert len(stand_in.creates()) == made


@PHASES
def test_bytes_that_drip_in_do_arrive(
    stand_in: StandIn, http: httpx.Client, phase: str, made: int
) -> None:
    break_create(stand_in, phase, "drip", seconds=0.3)
    started = time.monotonic()

    answer = http.post(PATH, json=ORDER)

    assert answer.json()
    assert time.monotonic() - started > 0.3
    assert len(stand_in.creates()) == made


@PHASES
@pytest.mark.parametrize("kind", ["not_json", "not_an_object", "schema_drift"])
def test_a_good_status_may_hide_an_unreadable_answer(
    stand_in: StandIn, http: httpx.Client, phase: str, made: int, kind: str
) -> None:
    break_create(stand_in, phase, kind)

    answer = http.post(PATH, json=ORDER)

    assert answer.is_success
    assert len(stand_in.creates()) == made
    if kind == "not_json":
        assert answer.text.startswith("<html>")
    elif kind == "not_an_object":
        assert isinstance(answer.json(), list)
    else:
        assert answer.json()["status"] == "queued"


@pytest.mark.parametrize("endpoint", ["get", "cancel", "list", "output"])
def test_other_endpoints_fail_on_their_own(
    stand_in: StandIn, http: httpx.Client, endpoint: str
) -> None:
    made = http.post(PATH, json=ORDER, headers={"Prefer": "wait"}).json()
    stand_in.knobs(faults=[{"endpoint": endpoint, "status": 500, "times": None}])

    statuses = {
        "get": http.get(made["urls"]["get"]).status_code,
        "list": http.get("/v1/predictions").status_code,
        "output": http.get(made["output"]).status_code,
        "cancel": http.post(made["urls"]["cancel"]).status_code,
    }

    assert [name for name, status in statuses.items() if status == 500] == [endpoint]


def test_a_fault_lasts_its_times_and_falls_by_its_probability(
    stand_in: StandIn, http: httpx.Client
) -> None:
    fault = {"endpoint": "list", "status": 500, "times": 20, "probability": 0.5}
    stand_in.knobs(seed=1, faults=[fault])

    statuses = [http.get("/v1/predictions").status_code for _ in range(60)]

    assert statuses.count(500) == 20
    assert 200 in statuses[:20]
    assert stand_in.knobs()["faults"][0]["times"] == 0


@pytest.mark.parametrize(
    ("kind", "content_type", "length"),
    [
        ("not_an_image", "image/jpeg", range(1, 100)),
        ("empty", "image/jpeg", range(1)),
        ("html", "text/html; charset=utf-8", range(1, 200)),
        ("wrong_type", "text/plain", range(300, 2000)),
        ("truncated", "image/jpeg", range(100, 700)),
        ("huge", "image/jpeg", range(2**26, 2**26 + 2000)),
    ],
)
def test_an_output_may_be_something_else(
    stand_in: StandIn, http: httpx.Client, kind: str, content_type: str, length: range
) -> None:
    stand_in.knobs(output_kind=kind)
    made = http.post(PATH, json=ORDER, headers={"Prefer": "wait"}).json()

    answer = http.get(made["output"])

    assert made["status"] == "succeeded"
    assert answer.headers["Content-Type"] == content_type
    assert len(answer.content) in length


def test_a_canned_result_is_a_real_image(stand_in: StandIn, http: httpx.Client) -> None:
    order = {"input": {"prompt": "x", "image_input": ["http://127.0.0.1:1/never-fetched.jpg"]}}

    made = http.post(PATH, json=order, headers={"Prefer": "wait"}).json()

    assert Image.open(io.BytesIO(http.get(made["output"]).content)).size == (32, 32)
