"""The demo shop: every picture that it lists is there, and nothing else."""

import io
from itertools import combinations
from pathlib import PurePosixPath
from typing import Any

import pytest
from PIL import Image, ImageChops, ImageStat

from sandbox.shop import PHOTOGRAPHS, first_job, picture, product_list


def products(base_url: str = "http://shop.example") -> list[dict[str, Any]]:
    listed = product_list(base_url)["products"]
    assert isinstance(listed, list)
    return listed


def pictures_of(product: dict[str, Any]) -> list[bytes]:
    paths = [PurePosixPath(image["url"]) for image in product["images"]]
    found = [picture(path.parent.name, path.stem) for path in paths]
    assert None not in found
    return [file for file in found if file is not None]


def small(file: bytes) -> Image.Image:
    return Image.open(io.BytesIO(file)).convert("RGB").resize((64, 64))


def difference(one: Image.Image, other: Image.Image) -> float:
    return sum(ImageStat.Stat(ImageChops.difference(one, other)).mean) / 3


def test_the_shop_fills_more_than_a_page() -> None:
    listed = products()

    assert {p.stem for p in PHOTOGRAPHS.glob("*.jpg")} <= {product["id"] for product in listed}
    assert len({product["id"] for product in listed}) == len(listed) == 24
    assert len({product["name"] for product in listed}) == 24
    assert all(2 <= len(product["images"]) <= 6 for product in listed)


def test_an_address_is_absolute_and_names_its_picture() -> None:
    cup = products("http://127.0.0.1:9000/")[0]

    assert cup["images"][1] == {
        "id": "coffee-cup-detail",
        "url": "http://127.0.0.1:9000/shop/coffee-cup/detail.jpg",
        "alt": "Espresso Cup with Saucer, Terracotta, close up",
    }


def test_products_can_be_told_apart_in_a_list() -> None:
    covers = [small(pictures_of(product)[0]) for product in products()]

    assert min(difference(one, other) for one, other in combinations(covers, 2)) > 15


@pytest.mark.parametrize("product", products(), ids=lambda product: product["id"])
def test_every_view_is_a_jpeg_that_differs_from_the_others(product: dict[str, Any]) -> None:
    files = pictures_of(product)

    views = [small(file) for file in files]

    assert {Image.open(io.BytesIO(file)).format for file in files} == {"JPEG"}
    assert min(difference(one, other) for one, other in combinations(views, 2)) > 3


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
