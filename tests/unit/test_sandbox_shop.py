"""The demo shop: every picture that it lists is there, and nothing else."""

import io
from typing import Any

import pytest
from PIL import Image, ImageChops, ImageStat

from sandbox.shop import PHOTOGRAPHS, first_job, picture, product_list


def products(base_url: str = "http://shop.example") -> list[dict[str, Any]]:
    listed = product_list(base_url)["products"]
    assert isinstance(listed, list)
    return listed


def pictures_of(product: dict[str, Any]) -> list[bytes]:
    found = [picture(product["id"], image["view"]) for image in product["images"]]
    assert None not in found
    return [file for file in found if file is not None]


def test_the_shop_has_a_product_of_every_photograph() -> None:
    listed = products()

    assert {product["id"] for product in listed} == {p.stem for p in PHOTOGRAPHS.glob("*.jpg")}
    assert all(3 <= len(product["images"]) <= 10 for product in listed)
    assert all(product["name"] for product in listed)


def test_an_address_is_absolute_and_names_its_picture() -> None:
    cup = products("http://127.0.0.1:9000/")[0]

    assert cup["images"][1] == {
        "id": "coffee-cup-detail",
        "view": "detail",
        "url": "http://127.0.0.1:9000/shop/coffee-cup/detail.jpg",
    }


@pytest.mark.parametrize("product", products(), ids=lambda product: product["id"])
def test_every_view_is_a_jpeg_that_differs_from_the_others(product: dict[str, Any]) -> None:
    views = [Image.open(io.BytesIO(file)) for file in pictures_of(product)]

    small = [view.convert("RGB").resize((64, 64)) for view in views]

    assert {view.format for view in views} == {"JPEG"}
    for index, one in enumerate(small):
        for other in small[index + 1 :]:
            assert sum(ImageStat.Stat(ImageChops.difference(one, other)).mean) / 3 > 3


def test_the_front_is_the_photograph_itself() -> None:
    assert picture("cat", "front") == (PHOTOGRAPHS / "cat.jpg").read_bytes()


def test_a_picture_is_made_once() -> None:
    assert picture("cat", "dim") is picture("cat", "dim")


@pytest.mark.parametrize(
    ("product_id", "view"),
    [
        ("teapot", "front"),
        ("cat", "upside-down"),
        ("clock", "wide"),
        ("../photos/cat", "front"),
        ("cat", "../front"),
        ("", ""),
        ("cat\0", "front"),
    ],
)
def test_an_unknown_picture_is_none(product_id: str, view: str) -> None:
    assert picture(product_id, view) is None


def test_the_first_job_asks_for_each_photograph_with_a_wish_of_its_own() -> None:
    images = first_job().images

    listed = {image["url"] for product in products("") for image in product["images"]}
    assert {image.path for image in images} <= listed
    assert len(images) == len({image.path for image in images}) == 5
    assert len({image.prompt for image in images}) == 5
