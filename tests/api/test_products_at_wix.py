"""GET /api/products and …/products/<id>, on Wix Stores: of both catalogues, each shop its own."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from config.settings import Settings
from tests.api.catalogues import PRODUCTS, connect, cup, names, on_file, on_wix, written
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
    NONE,
    V1,
    V3,
    Site,
    WixStandIn,
    guid,
    product,
    wix_stand_in,
)

QUERY = "/stores/v3/products/query"
TOKEN = "/oauth2/token"
VERSION = "/stores/v3/provision/version"
CUPS = ("Red cup", "Blue cup", "Teapot", "Green cup", "Cup of tea")


@pytest.fixture
def wix() -> Iterator[WixStandIn]:
    with wix_stand_in() as wix:
        yield wix


@pytest.fixture
def app(settings: Settings, wix: WixStandIn) -> Iterator[Flask]:
    with on_wix(settings, wix) as app:
        yield app


@pytest.fixture(params=[V3, V1])
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def shop(alice: Shop, wix: WixStandIn, version: str) -> Shop:
    """Alice with five products, in each of the catalogues."""
    return connect(alice, "alice", wix.open_site("alice", version, *CUPS))


def refused(shop: Shop, path: str = PRODUCTS) -> tuple[int, str]:
    answer = shop.get(path)
    return answer.status_code, answer.get_json()["code"]


def test_a_product_is_listed_with_its_lowest_price(shop: Shop) -> None:
    first = shop.get(PRODUCTS).get_json()["products"][0]

    first.pop("previewUrl", None)
    assert first == {
        "id": guid("Red cup"),
        "name": "Red cup",
        "price": "24.00",
        "currency": "EUR",
        "totalImages": 2,
    }


def test_a_product_is_shown_with_its_images_and_without_its_videos(shop: Shop) -> None:
    found = shop.get(f"{PRODUCTS}/{guid('Teapot')}").get_json()

    assert found["product"]["name"] == "Teapot"
    assert [(each["id"], each["url"], each["alt"]) for each in found["images"]] == [
        (
            f"Teapot-{n}.jpg",
            f"https://static.wixstatic.com/media/{guid('Teapot')}-{n}.jpg",
            f"Teapot, view {n}",
        )
        for n in range(2)
    ]


def test_pages_follow_each_other(shop: Shop) -> None:
    assert names(shop) == list(CUPS)


def test_a_search_and_its_pages_are_wixs_own(shop: Shop) -> None:
    assert names(shop, "&query=cup") == ["Red cup", "Blue cup", "Green cup", "Cup of tea"]
    assert names(shop, "&query=samovar") == []


def test_an_unknown_product_is_not_found(shop: Shop, wix: WixStandIn) -> None:
    assert refused(shop, f"{PRODUCTS}/{guid('samovar')}") == (404, "not_found")


@pytest.mark.parametrize("id", ["query", "..", "%2e%2e", "slug", "a" * 36, "é"])
def test_what_cannot_be_an_id_is_never_asked_for(shop: Shop, wix: WixStandIn, id: str) -> None:
    assert refused(shop, f"{PRODUCTS}/{id}") == (404, "not_found")

    assert wix.asked() == []


def test_an_unchanged_answer_is_not_sent_again(shop: Shop, wix: WixStandIn) -> None:
    for path in (PRODUCTS, f"{PRODUCTS}/{guid('Teapot')}"):
        known = {"If-None-Match": shop.get(path).headers["ETag"]}
        assert shop.get(path, known).status_code == 304

    wix.sites[guid("alice")].products[2]["name"] = "Samovar"

    assert shop.get(path, known).get_json()["product"]["name"] == "Samovar"


def test_alice_and_bob_see_their_own_shops_only(
    alice: Shop, bob: Shop, wix: WixStandIn, version: str
) -> None:
    connect(alice, "alice", wix.open_site("alice", version, "Red cup"))
    connect(bob, "bob", wix.open_site("bob", version, "Blue cup", "Teapot"))

    seen = names(alice), names(bob), names(alice)

    assert seen == (["Red cup"], ["Blue cup", "Teapot"], ["Red cup"])
    assert refused(alice, f"{PRODUCTS}/{guid('Teapot')}") == (404, "not_found")
    assert set(wix.tokens.values()) == {guid("alice"), guid("bob")}
    assert len(wix.asked(TOKEN)) == 2


def test_bobs_cursor_is_refused_for_alice(
    alice: Shop, bob: Shop, wix: WixStandIn, version: str
) -> None:
    site = wix.open_site("both", version, *CUPS)
    connect(alice, "alice", site)
    connect(bob, "bob", site)
    cursor = bob.get(f"{PRODUCTS}?limit=1").get_json()["nextCursor"]

    assert refused(alice, f"{PRODUCTS}?cursor={cursor}") == (400, "invalid_input")
    assert bob.get(f"{PRODUCTS}?cursor={cursor}").status_code == 200


def test_an_instance_without_a_shop_asks_nobody(bob: Shop, shop: Shop, wix: WixStandIn) -> None:
    told = bob.get(PRODUCTS).get_json()

    assert (told["status"], told["code"]) == (409, "catalogue_not_connected")
    assert told["detail"].startswith("No shop is connected. ")
    assert wix.asked() == []


def test_a_site_without_wix_stores_may_get_them_later(alice: Shop, wix: WixStandIn) -> None:
    connect(alice, "alice", wix.open_site("alice", NONE))
    before = alice.get(PRODUCTS).get_json()

    wix.open_site("alice", V3, "Red cup")

    assert before["code"] == "catalogue_not_connected"
    assert "Add Wix Stores" in before["detail"]
    assert names(alice) == ["Red cup"]


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


def raw_image(**facts: Any) -> dict[str, Any]:
    return {"id": "i", "mediaType": "IMAGE"} | facts


@pytest.mark.parametrize(
    ("raw", "url"),
    [
        (raw_image(url="https://elsewhere.example/a.jpg"), "https://elsewhere.example/a.jpg"),
        (
            raw_image(image="wix:image://v1/ab~mv2.jpg/cup.jpg#originWidth=9&originHeight=9"),
            "https://static.wixstatic.com/media/ab~mv2.jpg",
        ),
        (
            raw_image(image={"url": "wix:image://v1/ab~mv2.jpg/cup.jpg"}),
            "https://static.wixstatic.com/media/ab~mv2.jpg",
        ),
        (raw_image(), None),
        (raw_image(image={"url": None}), None),
        (raw_image(image=[7]), None),
        (raw_image(url="ftp://elsewhere.example/a.jpg"), None),
        (raw_image(url="https://elsewhere.example/\ud800.jpg"), None),
        (raw_image(id=None, url="https://elsewhere.example/\ud800.jpg"), None),
        (None, None),
        ("image", None),
    ],
)
def test_images_are_found_however_wix_names_them(
    alice: Shop, wix: WixStandIn, raw: Any, url: str | None
) -> None:
    cup = product(V3, "Cup") | {"media": {"itemsInfo": {"items": [raw]}}}
    wix.sites[connected(alice)] = Site(V3, [cup])

    found = alice.get(f"{PRODUCTS}/{guid('Cup')}").get_json()["images"]

    assert [(each["url"], each["alt"]) for each in found] == ([(url, "Cup")] if url else [])


def test_every_image_has_an_id_of_its_own(alice: Shop, wix: WixStandIn) -> None:
    items = [
        raw_image(url="https://a.example/1.jpg"),
        raw_image(url="https://a.example/2.jpg"),
        raw_image(id=None, url="https://a.example/3.jpg"),
        raw_image(id="x" * 256, url="https://a.example/4.jpg"),
    ]
    cup = product(V3, "Cup") | {"media": {"itemsInfo": {"items": items}}}
    wix.sites[connected(alice)] = Site(V3, [cup])

    found = alice.get(f"{PRODUCTS}/{guid('Cup')}").get_json()["images"]

    assert [each["url"][-5] for each in found] == ["1", "3", "4"]
    assert len({each["id"] for each in found}) == 3
    assert all(0 < len(each["id"]) <= 255 for each in found)


@pytest.mark.parametrize(
    ("amount", "price"),
    [
        ("24", "24.00"),
        ("24.5", "24.50"),
        ("1.234", "1.234"),
        (1200, "1200.00"),
        (None, None),
        ("", None),
        ("free", None),
        ("NaN", None),
        ("1e999", None),
        ("1e-400000", "0.00"),
        ("9" * 100_000, None),
        (-1, None),
        ([], None),
    ],
)
def test_prices_are_decimal_texts(
    alice: Shop, wix: WixStandIn, amount: Any, price: str | None
) -> None:
    cup = product(V3, "Cup") | {"actualPriceRange": {"minValue": {"amount": amount}}}
    wix.sites[connected(alice)] = Site(V3, [cup])

    found = alice.get(PRODUCTS).get_json()["products"][0]

    assert found.get("price") == price
    assert found.get("currency") == (price and "EUR")


def connected(alice: Shop) -> str:
    connect(alice, "alice", guid("alice"))
    return guid("alice")
