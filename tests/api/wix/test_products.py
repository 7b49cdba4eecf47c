"""Products of a Wix shop, as the API shows them, in both of Wix's catalogues."""

import pytest

from tests.api.catalogues import CUPS, PRODUCTS, connect, names
from tests.api.clients import Shop
from tests.wix_stand_in import (
    NONE,
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
