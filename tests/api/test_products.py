"""GET /api/products and …/products/<id>, on a catalogue in a file."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from flask import Flask

from api import current
from api.rooms import Rooms
from config.settings import Settings
from tests.api.catalogues import PRODUCTS, cup, names, on_file, refused, written
from tests.api.clients import Shop, open_shop, order


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "the products.json"


@pytest.fixture
def app(settings: Settings, file: Path) -> Iterator[Flask]:
    with on_file(settings, file) as app:
        yield app


def test_products_are_listed_in_the_files_order(alice: Shop, file: Path) -> None:
    written(file, cup(1, price="24.00", currency="EUR"), cup(0, images=0))

    answer = alice.get(PRODUCTS).get_json()

    assert answer["nextCursor"] is None
    for product in answer["products"]:
        product.pop("previewUrl", None)
    assert answer["products"] == [
        {
            "id": "cup-1",
            "name": "The cup 1",
            "price": "24.00",
            "currency": "EUR",
            "totalImages": 2,
        },
        {"id": "cup-0", "name": "The cup 0", "totalImages": 0},
    ]


def test_a_product_is_shown_with_its_images(alice: Shop, file: Path) -> None:
    image = {"id": "top", "url": "https://shop.example/top.jpg", "alt": "From above"}
    written(file, cup(1), cup(2, images=1) | {"images": [image, cup(2)["images"][0]]})

    answer = alice.get(f"{PRODUCTS}/cup-2").get_json()

    assert answer["product"]["totalImages"] == 2
    assert [(each["id"], each["url"], each["alt"]) for each in answer["images"]] == [
        ("top", "https://shop.example/top.jpg", "From above"),
        ("cup-2-0", "https://shop.example/cup/2/0.jpg", "The cup 2"),
    ]


def test_what_is_shown_can_be_ordered(alice: Shop, file: Path) -> None:
    written(file, cup(1))
    found = alice.get(f"{PRODUCTS}/cup-1").get_json()

    images = [
        {"imageId": each["id"], "imageUrl": each["url"], "prompt": "brighter"}
        for each in found["images"]
    ]
    ordered = alice.post(order(images=images, productId=found["product"]["id"]))

    assert ordered.status_code == 201


def test_an_image_that_could_not_be_ordered_is_left_out(alice: Shop, file: Path) -> None:
    urls = [
        "ftp://shop.example/a.jpg",
        "http://127.0.0.1/a.jpg",
        "https://shop.example/" + "x" * 2048,
        "https://shop.example/good.jpg",
    ]
    images = [{"id": str(n), "url": url} for n, url in enumerate(urls)]
    written(file, cup(1, images=0) | {"images": images})

    answer = alice.get(f"{PRODUCTS}/cup-1").get_json()

    assert [each["id"] for each in answer["images"]] == ["3"]
    assert answer["product"]["totalImages"] == 1


def test_pages_follow_each_other(alice: Shop, file: Path) -> None:
    written(file, *(cup(n) for n in range(5)))

    assert names(alice) == [f"The cup {n}" for n in range(5)]


def test_twenty_products_make_a_page_by_default(alice: Shop, file: Path) -> None:
    written(file, *(cup(n) for n in range(21)))

    assert len(alice.get(PRODUCTS).get_json()["products"]) == 20


def test_a_search_looks_at_the_name_in_upper_and_lower_case(alice: Shop, file: Path) -> None:
    several = [
        cup(n, name=name) for n, name in enumerate(["Große Tasse", "Cup", "TASSE", "tassen"])
    ]
    written(file, *several)

    assert names(alice, "&query=tasse") == ["Große Tasse", "TASSE", "tassen"]
    assert names(alice, "&query=GROSSE") == ["Große Tasse"]
    assert names(alice, "&query=teapot") == []


def test_a_cursor_is_good_for_its_own_instance_and_search_only(
    alice: Shop, bob: Shop, file: Path
) -> None:
    written(file, *(cup(n) for n in range(5)))
    cursor = alice.get(f"{PRODUCTS}?limit=1&query=cup").get_json()["nextCursor"]

    wrong = (
        bob.get(f"{PRODUCTS}?limit=1&query=cup&cursor={cursor}"),
        alice.get(f"{PRODUCTS}?limit=1&cursor={cursor}"),
        alice.get(f"{PRODUCTS}?limit=1&query=cups&cursor={cursor}"),
        alice.get(f"/api/image-optimization/jobs?cursor={cursor}"),
    )

    assert alice.get(f"{PRODUCTS}?limit=1&query=cup&cursor={cursor}").status_code == 200
    assert [each.status_code for each in wrong] == [400] * 4
    assert all(list(each.get_json()["errors"]) == ["cursor"] for each in wrong)


@pytest.mark.parametrize(
    ("query", "path"),
    [
        ("query=", "query"),
        ("query=" + "x" * 101, "query"),
        ("query=a&query=b", "query"),
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=1.0", "limit"),
        ("cursor=", "cursor"),
        ("cursor=x", "cursor"),
        ("page=2", "page"),
    ],
)
def test_other_queries_are_refused(alice: Shop, file: Path, query: str, path: str) -> None:
    written(file, cup())

    answer = alice.get(f"{PRODUCTS}?{query}")

    assert (answer.status_code, list(answer.get_json()["errors"])) == (400, [path])


@pytest.mark.parametrize("path", [PRODUCTS, f"{PRODUCTS}/cup-1"])
def test_an_answer_is_sent_again_only_when_it_changed(alice: Shop, file: Path, path: str) -> None:
    written(file, cup(1))
    known = {"If-None-Match": alice.get(path).headers["ETag"]}

    same = alice.get(path, known)
    written(file, cup(1, name="The red cup"))
    changed = alice.get(path, known)

    assert (same.status_code, same.data) == (304, b"")
    assert same.headers["Cache-Control"] == "private, no-cache"
    assert changed.status_code == 200
    assert "The red cup" in changed.text


@pytest.mark.parametrize("id", ["teapot", "cup-1 ", "x" * 255, "..%2e", "a%00b"])
def test_an_unknown_product_is_not_found(alice: Shop, file: Path, id: str) -> None:
    written(file, cup(1))

    assert refused(alice, f"{PRODUCTS}/{id}") == (404, "not_found")


@pytest.mark.parametrize("id", ["Tasse 1 ü", "a%b", "?", "a;b=c", "x" * 255])
def test_an_id_may_be_any_part_of_an_address(alice: Shop, file: Path, id: str) -> None:
    written(file, cup(1, id=id))

    answer = alice.client().get(
        "/", headers=alice.bearer, environ_overrides={"PATH_INFO": wsgi(f"{PRODUCTS}/{id}")}
    )

    assert answer.get_json()["product"]["id"] == id


def wsgi(path: str) -> str:
    return path.encode().decode("latin-1")


@pytest.mark.parametrize("path", [PRODUCTS, f"{PRODUCTS}/cup-1"])
def test_without_a_catalogue_no_shop_is_connected(any_app: Flask, path: str) -> None:
    alice = open_shop(any_app, "alice")

    answer = alice.get(path)

    assert (answer.status_code, answer.get_json()["code"]) == (409, "catalogue_not_connected")
    assert answer.get_json()["detail"].startswith("No shop is connected. ")


def test_shops_that_hang_leave_the_api_its_threads(alice: Shop, app: Flask, file: Path) -> None:
    written(file, cup(1))
    app.extensions[current.KEY].rooms = rooms = Rooms(patience=0.1)

    with ExitStack() as all_places:
        for _ in range(3):
            all_places.enter_context(rooms.catalogue.place())
        told = [refused(alice, path) for path in (PRODUCTS, f"{PRODUCTS}/cup-1")]

    assert told == [(503, "catalogue_busy")] * 2
    assert names(alice) == ["The cup 1"]
