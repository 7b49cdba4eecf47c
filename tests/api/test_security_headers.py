"""Every answer tells browsers to run, frame and guess nothing."""

from dataclasses import replace

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from config.settings import Settings
from models import lifecycle
from tasks.storage import open_storage
from tests.api.clients import JOBS, ROUTE, Shop, open_shop, order
from tests.api.conftest import serving
from tests.shop import DEADLINE

KEY = "0f1e2d3c4b5a69788796a5b4c3d2e1f0.png"
STRICT = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
ALWAYS = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
# One of each kind of answer, with what it is.
ANSWERS = [
    ("GET", "/api/credits", 200),
    ("HEAD", "/api/credits", 200),
    ("OPTIONS", ROUTE, 200),
    ("POST", ROUTE, 201),
    ("GET", f"{JOBS}/99", 404),
    ("GET", f"{JOBS}?x=1", 400),
    ("DELETE", ROUTE, 405),
    ("GET", "/nowhere", 404),
    ("GET", "/healthz", 200),
    ("GET", "/readyz", 503),
    ("GET", "/metrics", 200),
    ("GET", "/openapi.json", 200),
    ("GET", "/docs", 200),
    ("GET", "/docs/docs.js", 200),
    ("GET", "/docs/swagger-ui.css", 200),
    ("GET", f"/results/{KEY}", 200),
    ("HEAD", f"/results/{KEY}", 200),
    ("GET", f"/results/{'a' * 32}.jpg", 404),
    ("GET", f"/previews/t.{'s' * 43}", 404),
    ("GET", "/api/previews?url=https://shop.example/a.jpg", 200),
    ("GET", "/surprise", 500),
]


@pytest.fixture
def furnished(app: Flask, settings: Settings, alice: Shop) -> Flask:
    """The API with a result, and with a route that fails."""
    app.add_url_rule("/surprise", view_func=lambda: str(1 // 0))
    alice.post(order())
    with app.app_context():
        turn = lifecycle.claim_next(DEADLINE)
        assert turn is not None
        lifecycle.finish(turn.attempt_id, KEY, "image/png")
    open_storage(settings).put(KEY, b"\x89PNG", "image/png")
    return app


def ask(shop: Shop, method: str, path: str, **headers: str) -> TestResponse:
    body = order() if method == "POST" else None
    return shop.client().open(
        path, method=method, json=body, headers=shop.bearer | headers, buffered=True
    )


@pytest.mark.parametrize(("method", "path", "status"), ANSWERS)
def test_every_kind_of_answer_carries_them(
    furnished: Flask, alice: Shop, method: str, path: str, status: int
) -> None:
    answer = ask(alice, method, path)

    assert answer.status_code == status
    assert {name: answer.headers.getlist(name) for name in ALWAYS} == {
        name: [value] for name, value in ALWAYS.items()
    }
    assert "camera=()" in answer.headers["Permissions-Policy"]
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'; ")
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert "Strict-Transport-Security" not in answer.headers


@pytest.mark.parametrize("path", ["/api/credits", JOBS, f"/results/{KEY}"])
def test_what_was_not_modified_carries_them_too(furnished: Flask, alice: Shop, path: str) -> None:
    tag = ask(alice, "GET", path).headers["ETag"]

    answer = ask(alice, "GET", path, **{"If-None-Match": tag})

    assert answer.status_code == 304
    assert {answer.headers[name] for name in ALWAYS} == set(ALWAYS.values())


def test_who_has_no_token_gets_them_too(app: Flask) -> None:
    answer = app.test_client().get(JOBS)

    assert answer.status_code == 401
    assert answer.headers["Content-Security-Policy"] == STRICT


def test_the_api_allows_a_browser_nothing(alice: Shop) -> None:
    assert ask(alice, "GET", JOBS).headers["Content-Security-Policy"] == STRICT


def test_a_result_keeps_its_own_policy(furnished: Flask, alice: Shop) -> None:
    answer = ask(alice, "GET", f"/results/{KEY}")

    assert answer.headers.getlist("Content-Security-Policy") == ["default-src 'none'; sandbox"]


def test_shops_may_show_results_and_nothing_else_in_their_pages(
    furnished: Flask, alice: Shop
) -> None:
    policies = {
        path: ask(alice, "GET", path).headers["Cross-Origin-Resource-Policy"]
        for path in (f"/results/{KEY}", "/api/credits", "/openapi.json", "/docs")
    }

    assert policies.pop(f"/results/{KEY}") == "cross-origin"
    assert set(policies.values()) == {"same-origin"}


def test_a_presigned_result_may_be_shown_as_well(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "id")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    with serving(replace(settings, storage_url="s3://bucket/results")) as app:
        alice = open_shop(app, "alice")
        alice.post(order())
        with app.app_context():
            turn = lifecycle.claim_next(DEADLINE)
            assert turn is not None
            lifecycle.finish(turn.attempt_id, KEY, "image/png")

        answer = ask(alice, "GET", f"/results/{KEY}")

    assert answer.status_code == 302
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert answer.headers["Referrer-Policy"] == "no-referrer"


@pytest.mark.parametrize(
    ("address", "transport"),
    [
        ("https://darkroom.example", "max-age=31536000"),
        ("http://darkroom.example", None),
        ("", None),
    ],
)
def test_https_is_asked_for_where_the_service_is_reached_by_it(
    settings: Settings, address: str, transport: str | None
) -> None:
    with serving(replace(settings, public_base_url=address)) as app:
        told = [app.test_client().get(path) for path in ("/healthz", "/nowhere", JOBS)]

    assert {answer.headers.get("Strict-Transport-Security") for answer in told} == {transport}
