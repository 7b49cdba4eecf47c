"""Images and prices, however Wix writes them."""

from typing import Any

import pytest

from tests.api.catalogues import PRODUCTS, connect
from tests.api.clients import Shop
from tests.wix_stand_in import (
    V3,
    Site,
    WixStandIn,
    guid,
    product,
)


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
