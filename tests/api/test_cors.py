"""Pages of other origins, by `CORS_ORIGINS`."""

from dataclasses import replace

from flask import Flask

from config.settings import Settings
from tests.api.clients import ROUTE, open_shop
from tests.api.conftest import serving

ORIGIN = "https://shop.example"
ASKED = {"authorization", "content-type", "idempotency-key", "last-event-id"}
EXPOSED = {
    "Location",
    "ETag",
    "X-Request-Id",
    "Idempotent-Replayed",
    "Retry-After",
    "Content-Disposition",
}


def test_without_the_setting_no_origin_is_allowed(app: Flask) -> None:
    answer = open_shop(app, "alice").get("/api/credits", {"Origin": ORIGIN})

    assert not [name for name, _value in answer.headers if name.startswith("Access-Control")]


def test_a_page_of_an_allowed_origin_reads_answers_and_their_headers(settings: Settings) -> None:
    with serving(replace(settings, cors_origins=(ORIGIN,))) as app:
        alice = open_shop(app, "alice")

        answer = alice.get("/api/credits", {"Origin": ORIGIN})

    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
    exposed = answer.headers["Access-Control-Expose-Headers"]
    assert set(exposed.replace(" ", "").split(",")) == EXPOSED
    assert "Access-Control-Allow-Credentials" not in answer.headers
    assert "Authorization" in answer.headers.get_all("Vary")[0]


def test_a_page_of_another_origin_reads_nothing(settings: Settings) -> None:
    with serving(replace(settings, cors_origins=(ORIGIN,))) as app:
        alice = open_shop(app, "alice")

        for origin in ("https://evil.example", f"{ORIGIN}.evil.example", "null"):
            answer = alice.get("/api/credits", {"Origin": origin})
            assert "Access-Control-Allow-Origin" not in answer.headers


def test_a_browser_may_ask_first_without_a_token(settings: Settings) -> None:
    with serving(replace(settings, cors_origins=(ORIGIN,))) as app:
        answer = app.test_client().options(
            ROUTE,
            headers={
                "Origin": ORIGIN,
                "Access-Control-Request-Method": "POST",
                "Access-Control-Request-Headers": ", ".join(sorted(ASKED)),
            },
        )

    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
    allowed = answer.headers["Access-Control-Allow-Headers"].lower().replace(" ", "")
    assert set(allowed.split(",")) == ASKED


def test_errors_can_be_read_too(settings: Settings) -> None:
    with serving(replace(settings, cors_origins=("*",))) as app:
        answer = app.test_client().get("/api/credits", headers={"Origin": ORIGIN})

    assert answer.status_code == 401
    assert answer.headers["Access-Control-Allow-Origin"] in {"*", ORIGIN}
