"""Tokens, versions, and what goes wrong at Wix."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from config.settings import Settings
from tests.api.catalogues import CUPS, PRODUCTS, connect, cup, names, on_file, on_wix, written
from tests.api.clients import Shop, open_shop
from tests.logs import production_logs
from tests.scripted_server import (
    answer,
    close,
    garbage,
    reset,
    truncated,
)
from tests.wix_stand_in import (
    APP_SECRET,
    V1,
    V3,
    WixStandIn,
    guid,
)

QUERY = "/stores/v3/products/query"
TOKEN = "/oauth2/token"
VERSION = "/stores/v3/provision/version"


def refused(shop: Shop, path: str = PRODUCTS) -> tuple[int, str]:
    answer = shop.get(path)
    return answer.status_code, answer.get_json()["code"]


def test_token_and_version_are_asked_for_once(shop: Shop, wix: WixStandIn) -> None:
    for _ in range(3):
        assert shop.get(PRODUCTS).status_code == 200

    assert len(wix.asked(TOKEN)) == len(wix.asked(VERSION)) == 1
    wish = json.loads(wix.asked(TOKEN)[0].body)
    assert (wish["grant_type"], wish["instance_id"]) == ("client_credentials", guid("alice"))


@pytest.mark.parametrize("expires_in", [300, 0, -1, None, "soon"])
def test_a_token_that_is_about_to_expire_is_not_kept(
    shop: Shop, wix: WixStandIn, expires_in: Any
) -> None:
    wix.expires_in = expires_in

    assert shop.get(PRODUCTS).status_code == 200
    assert shop.get(PRODUCTS).status_code == 200

    # The first answer took a token for the version and one for the page.
    assert len(wix.asked(TOKEN)) == 3


def test_a_token_that_wix_takes_no_more_is_renewed_once(shop: Shop, wix: WixStandIn) -> None:
    assert shop.get(PRODUCTS).status_code == 200
    wix.tokens.clear()

    assert shop.get(PRODUCTS).status_code == 200
    assert len(wix.asked(TOKEN)) == 2


def test_an_app_that_was_removed_is_to_be_installed_again(shop: Shop, wix: WixStandIn) -> None:
    assert shop.get(PRODUCTS).status_code == 200
    wix.sites.clear()

    told = shop.get(PRODUCTS).get_json()

    assert (told["status"], told["code"]) == (409, "catalogue_not_connected")
    assert "Install the Darkroom app there again." in told["detail"]


@pytest.mark.parametrize("status", [401, 403])
def test_a_shop_that_lets_us_in_no_more_is_asked_twice_at_most(
    alice: Shop, wix: WixStandIn, status: int
) -> None:
    connect(alice, "alice", wix.open_site("alice", V3, "Red cup"))
    wix.faults[QUERY] = [answer(status, {"message": "no"})] * 5

    assert refused(alice) == (409, "catalogue_not_connected")
    assert len(wix.asked(QUERY)) <= 2


def test_a_site_that_was_moved_to_v3_is_noticed(alice: Shop, wix: WixStandIn) -> None:
    connect(alice, "alice", wix.open_site("alice", V1, *CUPS))
    cursor = alice.get(f"{PRODUCTS}?limit=1").get_json()["nextCursor"]
    wix.open_site("alice", V3, *CUPS)

    moved = alice.get(PRODUCTS)

    assert (moved.status_code, moved.get_json()["code"]) == (503, "catalogue_unavailable")
    assert names(alice) == list(CUPS)
    told = alice.get(f"{PRODUCTS}?limit=1&cursor={cursor}").get_json()
    assert "Begin again" in told["errors"]["cursor"][0]


def test_a_page_that_wix_has_forgotten_is_begun_again(alice: Shop, wix: WixStandIn) -> None:
    connect(alice, "alice", wix.open_site("alice", V3, *CUPS))
    cursor = alice.get(f"{PRODUCTS}?limit=1").get_json()["nextCursor"]
    wix.faults[QUERY] = [answer(400, {"message": "unknown cursor"})]

    told = alice.get(f"{PRODUCTS}?limit=1&cursor={cursor}").get_json()

    assert (told["code"], list(told["errors"])) == ("invalid_input", ["cursor"])


def test_a_page_of_wix_is_gone_where_the_catalogue_is_a_file_now(
    alice: Shop, wix: WixStandIn, settings: Settings, tmp_path: Path
) -> None:
    connect(alice, "alice", wix.open_site("alice", V3, *CUPS))
    cursor = alice.get(f"{PRODUCTS}?limit=1").get_json()["nextCursor"]

    with on_file(settings, written(tmp_path / "products.json", cup())) as app:
        told = replace(alice, app=app).get(f"{PRODUCTS}?limit=1&cursor={cursor}").get_json()

    assert (told["code"], list(told["errors"])) == ("invalid_input", ["cursor"])


AWAY = {
    "429": answer(429, {"message": "slow down"}, Retry_After="60"),
    "500": answer(500, {"message": "secret-of-the-app"}),
    "502 as a page": answer(502, b"<html>"),
    "400": answer(400, {"message": "?"}),
    "404": answer(404, {"message": "?"}),
    "a redirect": answer(302, {}, Location="https://evil.example/"),
    "no JSON": answer(200, b"<html>"),
    "a list": answer(200, b"[]"),
    "nested": answer(200, b"[" * 100_000),
    "no list of products": answer(200, {"products": {}}),
    "a list of texts": answer(200, {"products": ["cup"]}),
    "a product without a name": answer(200, {"products": [{"id": "a"}]}),
    "too much": answer(200, b" " * (9 * 2**20)),
    "cut off": truncated(200, b'{"products": ['),
    "garbage": garbage,
    "closed": close,
    "reset": reset,
}


@pytest.mark.parametrize("path", [TOKEN, VERSION, QUERY])
def test_what_goes_wrong_at_wix_may_pass(app: Flask, wix: WixStandIn, path: str) -> None:
    for name, fault in AWAY.items():
        shop = open_shop(app, name)
        connect(shop, name, wix.open_site(name, V3, "Red cup"))
        wix.faults[path] = [fault]

        with production_logs() as logs:
            told = shop.get(PRODUCTS)

        no_token = path == TOKEN and name in {"400", "404"}
        expected = (409, "catalogue_not_connected") if no_token else (503, "catalogue_unavailable")
        assert (told.status_code, told.get_json()["code"]) == expected, name
        assert no_token or told.headers["Retry-After"] == "5"
        assert names(shop) == ["Red cup"], name
        assert APP_SECRET not in f"{logs.text} {told.text}"
        assert not any(token.removeprefix("Bearer ") in logs.text for token in wix.tokens)


def test_a_wrong_app_secret_is_told_to_the_log(settings: Settings, wix: WixStandIn) -> None:
    with on_wix(settings, wix, secret="wrong-secret") as app:
        alice = connect(open_shop(app, "alice"), "alice", wix.open_site("alice", V3))

        with production_logs() as logs:
            assert refused(alice) == (409, "catalogue_not_connected")

    (warning,) = logs.lines(event="wix gives no token")
    assert (warning["status"], warning["error"]) == (401, "invalid_client")
    assert "wrong-secret" not in logs.text
