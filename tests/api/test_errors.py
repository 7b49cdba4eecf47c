"""What every route does with what it cannot do, and what the logs say of it."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask, request

from api import create_app
from config.settings import Settings
from models import accounts
from tests.api.clients import JOBS, ROUTE, Shop, open_shop, order
from tests.api.conftest import serving
from tests.logs import Written, production_logs

PRIVATE = [("POST", ROUTE), ("GET", JOBS), ("GET", f"{JOBS}/1"), ("GET", "/api/credits")]
HEADERS = {"X-Request-Id": "r-1", "Authorization": "Bearer very-secret"}
UNKNOWN = [
    None, "", "Bearer", "Bearer ", "Bearer dk_unknown", "Bearer two tokens", "Bearer \xfc",
    "Bearer " + "x" * 10_000, "Basic YWxpY2U6eA==", "dk_unknown",
]  # fmt: skip
AWAY = "postgresql://darkroom:database-password@127.0.0.1:1/darkroom"


@pytest.fixture
def logs() -> Iterator[Written]:
    with production_logs() as written:
        yield written


@pytest.mark.parametrize(("method", "path"), PRIVATE)
def test_without_a_token_that_is_known_nothing_is_told(
    app: Flask, alice: Shop, method: str, path: str
) -> None:
    for authorization in UNKNOWN:
        headers = {} if authorization is None else {"Authorization": authorization}

        answer = app.test_client().open(path, method=method, json=order(), headers=headers)

        told = (answer.status_code, answer.get_json()["code"])
        assert told == (401, "unauthorized"), authorization
        assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert alice.jobs() == []


def test_the_scheme_may_be_written_in_any_case(alice: Shop) -> None:
    answer = alice.client().get("/api/credits", headers={"Authorization": f"bEARER {alice.token}"})

    assert answer.status_code == 200


def test_a_disabled_shop_and_an_old_token_are_refused(app: Flask, alice: Shop, bob: Shop) -> None:
    with app.app_context():
        accounts.disable("alice")
        new_token = accounts.rotate_token("bob")

    assert alice.get(JOBS).status_code == 401
    assert bob.get(JOBS).status_code == 401
    assert replace(bob, token=new_token).get(JOBS).status_code == 200


@pytest.mark.parametrize(
    "path",
    ["/x", "/api", "/api/", "/api/x", "//api/credits", "/API/credits", "/ongoing/", "/web/js/"],
)
def test_an_unknown_address_is_not_found(alice: Shop, path: str) -> None:
    answer = alice.get(path)

    assert (answer.status_code, answer.get_json()["code"]) == (404, "not_found")
    assert "Location" not in answer.headers


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        (ROUTE, {"POST", "OPTIONS"}),
        (JOBS, {"GET", "HEAD", "OPTIONS"}),
        (f"{JOBS}/1", {"GET", "HEAD", "OPTIONS"}),
        ("/api/credits", {"GET", "HEAD", "OPTIONS"}),
        ("/results/0f1e2d3c4b5a69788796a5b4c3d2e1f0.jpg", {"GET", "HEAD", "OPTIONS"}),
        ("/healthz", {"GET", "HEAD", "OPTIONS"}),
        ("/metrics", {"GET", "HEAD", "OPTIONS"}),
    ],
)
def test_another_method_is_refused_with_those_there_are(
    alice: Shop, path: str, allowed: set[str]
) -> None:
    refused = alice.client().open(path, method="DELETE", headers=alice.bearer)
    asked = alice.client().options(path)

    assert (refused.status_code, refused.get_json()["code"]) == (405, "method_not_allowed")
    assert set(refused.headers["Allow"].split(", ")) == allowed
    assert (asked.status_code, asked.data) == (200, b"")
    assert set(asked.headers["Allow"].split(", ")) == allowed


@pytest.mark.parametrize(("method", "path"), PRIVATE)
def test_a_database_that_is_away_is_a_503_without_its_reasons(
    settings: Settings, logs: Written, method: str, path: str
) -> None:
    app = create_broken_app(settings)

    answer = app.test_client().open(
        path, method=method, json=order(), headers={"Authorization": "Bearer dk_x"}
    )

    problem = answer.get_json()
    assert (answer.status_code, problem["code"]) == (503, "database_unavailable")
    assert answer.headers["Retry-After"] == "1"
    assert "127.0.0.1" not in answer.text
    failure = logs.lines(event="request failed")[0]
    assert failure["request"] == problem["requestId"]
    assert "database-password" not in logs.text


def create_broken_app(settings: Settings) -> Flask:
    return create_app(replace(settings, database_url=AWAY))


def test_a_surprise_is_a_500_that_is_told_only_to_the_log(
    settings: Settings, logs: Written
) -> None:
    with serving(settings) as app:
        app.add_url_rule("/surprise", view_func=surprise)

        answer = app.test_client().get("/surprise", headers=HEADERS)

    assert (answer.status_code, answer.get_json()["code"]) == (500, "internal_error")
    assert "KeyError" not in answer.text
    (failure,) = logs.lines(level="error")
    assert failure["request"] == "r-1"
    assert "KeyError" in str(failure)


def test_every_request_is_logged_in_one_line_without_its_secrets(
    settings: Settings, logs: Written
) -> None:
    with serving(settings) as app:
        alice = open_shop(app, "alice")
        answer = alice.get(f"{JOBS}/7?x=1")
        app.test_client().get("/api/credits", headers={"Authorization": "Bearer not-hers"})

    mine, other = logs.lines(event="request")
    assert isinstance(mine["milliseconds"], float)
    assert {name: mine[name] for name in ("method", "route", "status", "instance", "request")} == {
        "method": "GET",
        "route": f"{JOBS}/<id:job_id>",
        "status": 400,
        "instance": alice.id,
        "request": answer.headers["X-Request-Id"],
    }
    assert "instance" not in other
    assert alice.token not in logs.text
    assert "not-hers" not in logs.text


def test_a_token_is_not_in_the_log_of_a_surprise_either(settings: Settings, logs: Written) -> None:
    with serving(settings) as app:
        app.add_url_rule("/surprise", view_func=surprise)

        app.test_client().get("/surprise", headers=HEADERS)

    assert "KeyError" in logs.text
    assert "very-secret" not in logs.text


def surprise() -> str:
    """Fail with the token in a variable."""
    shops = {request.headers["Authorization"]: "Alice"}
    return shops["Bob"]


@pytest.mark.parametrize(
    ("given", "kept"),
    [("abc-DEF_1.2", True), ("x" * 64, True), ("x" * 65, False), ("a b", False), ("", False)],
)
def test_a_request_id_is_kept_if_it_is_one(app: Flask, given: str, kept: bool) -> None:
    answer = app.test_client().get("/api/credits", headers={"X-Request-Id": given})

    assert (answer.headers["X-Request-Id"] == given) == kept
    assert answer.headers["X-Request-Id"] == answer.get_json()["requestId"]
