"""What may be chosen for an image, the models to choose from, and what each costs."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask

from config.offers import read_offers
from config.settings import Settings
from models import reports
from models.image_models import PriceList
from models.orders import ORDER_COLUMNS, ImageOrder
from tests.api.clients import JOBS, Shop, image, open_shop, order
from tests.api.conftest import serving

PRO, TWO = "google/nano-banana-pro", "google/nano-banana-2"
OFFERS = read_offers("MODELS", [f"{PRO}@2K=60", f"{PRO}@4K=120", f"{TWO}@1K=30"])
STYLE = "https://shop.example/style.jpg"
FOUR = [f"{STYLE}?{n}" for n in range(4)]


@pytest.fixture
def offering(settings: Settings) -> Settings:
    """Settings with three models."""
    return replace(settings, replicate_models=OFFERS)


@pytest.fixture
def app(offering: Settings) -> Iterator[Flask]:
    with serving(offering) as app:
        yield app


def shown(shop: Shop, answer: Any) -> list[dict[str, Any]]:
    """The options of each image, as the job shows them."""
    names = ("model", "resolution", "aspectRatio", "outputFormat", "quality", "referenceImageUrls")
    items = shop.get(answer.headers["Location"]).get_json()["items"]
    return [{name: item[name] for name in names if name in item} for item in items]


def test_each_image_has_options_of_its_own_and_its_price(app: Flask, alice: Shop) -> None:
    chosen = {
        "model": PRO,
        "resolution": "4K",
        "aspectRatio": "16:9",
        "outputFormat": "jpg",
        "quality": 70,
        "referenceImageUrls": [STYLE],
    }
    plain = {"model": "google/nano-banana", "aspectRatio": "match_input_image"}

    answer = alice.post(order(images=[image(0), image(1, **chosen), image(2, model=PRO)]))

    assert answer.status_code == 201, answer.text
    assert answer.get_json()["creditsUsed"] == 15 + 120 + 60
    usual = plain | {"outputFormat": "jpg", "referenceImageUrls": []}
    assert shown(alice, answer) == [usual, chosen, usual | {"model": PRO, "resolution": "2K"}]
    items = alice.get(f"{JOBS}/1").get_json()["items"]
    assert [item["creditsCharged"] for item in items] == [15, 120, 60]
    with app.app_context():
        rows = reports.items(1)
    again = [ImageOrder.of(row) for row in rows]
    for order_again, row in zip(again, rows, strict=True):
        for name in set(ORDER_COLUMNS) - {"reference_urls"}:
            assert getattr(order_again, name) == getattr(row, name), name
        assert list(order_again.reference_urls) == row.reference_urls
    assert [PriceList(OFFERS)(each) for each in again[1:]] == [120, 60]


def test_too_few_credits_for_a_dear_model_change_nothing(app: Flask) -> None:
    poor = open_shop(app, "poor", credits=119)

    answer = poor.post(order(images=[image(0, model=PRO, resolution="4K")]))

    assert (answer.status_code, answer.get_json()["cost"]) == (402, 120)
    assert (poor.balance(), poor.jobs()) == (119, [])


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"model": "google/other"}, "model"),
    ({"model": ""}, "model"),
    ({"resolution": "2K"}, "resolution"),
    ({"model": PRO, "resolution": "1K"}, "resolution"),
    ({"model": PRO, "resolution": "8K"}, "resolution"),
    ({"model": PRO, "aspectRatio": "1:8"}, "aspectRatio"),
    ({"outputFormat": "png", "quality": 80}, "quality"),
    ({"quality": 0}, "quality"),
    ({"quality": 101}, "quality"),
    ({"quality": "80"}, "quality"),
    ({"quality": True}, "quality"),
    ({"quality": 80.5}, "quality"),
    ({"quality": None}, "quality"),
    ({"referenceImageUrls": FOUR}, "referenceImageUrls"),
    ({"referenceImageUrls": [STYLE, "http://10.0.0.1/a.jpg"]}, "referenceImageUrls.1"),
    ({"referenceImageUrls": STYLE}, "referenceImageUrls"),
]


def test_what_does_not_go_together_is_refused(alice: Shop) -> None:
    for some in (WRONG[:8], WRONG[8:]):
        images = [image(n, **options) for n, (options, _) in enumerate(some)]

        answer = alice.post(order(images=[*images, image(9)]))

        assert answer.status_code == 400
        wrong = {f"images.{n}.{field}" for n, (_, field) in enumerate(some)}
        assert set(answer.get_json()["errors"]) == wrong
    assert alice.balance() == 15_000


def test_a_model_may_take_more_than_others(alice: Shop) -> None:
    answer = alice.post(order(images=[image(0, model=TWO, aspectRatio="1:8")]))

    assert answer.status_code == 201, answer.text


def test_the_same_key_with_another_option_is_another_order(alice: Shop) -> None:
    key = {"Idempotency-Key": "one"}
    first = alice.post(order(images=[image(0, quality=80, referenceImageUrls=[STYLE])]), key)

    again = alice.post(order(images=[image(0, quality=80, referenceImageUrls=[STYLE])]), key)
    other = alice.post(order(images=[image(0, quality=70, referenceImageUrls=[STYLE])]), key)

    assert (again.status_code, again.get_json()) == (201, first.get_json())
    assert other.status_code == 422


def test_the_models_are_listed_with_what_they_take_and_cost(alice: Shop) -> None:
    answer = alice.get("/api/models")

    models = {each["model"]: each for each in answer.get_json()["models"]}
    assert list(models) == ["google/nano-banana", PRO, TWO]
    assert models["google/nano-banana"]["prices"] == [{"credits": 15}]
    assert models[PRO]["prices"] == [
        {"resolution": "2K", "credits": 60},
        {"resolution": "4K", "credits": 120},
    ]
    assert "1:8" in models[TWO]["aspectRatios"]
    assert "1:8" not in models[PRO]["aspectRatios"]
    assert models[PRO]["outputFormats"] == ["jpg", "png"]
    assert models[PRO]["mostReferenceImages"] == 3
    tag = {"If-None-Match": answer.headers["ETag"]}
    assert alice.get("/api/models", tag).status_code == 304


def test_the_default_model_may_have_resolutions_too(offering: Settings) -> None:
    """`CREDITS_PER_IMAGE` is then nobody's price."""
    with serving(replace(offering, replicate_model=PRO)) as app:
        alice = open_shop(app, "alice")

        answer = alice.post(order())

        assert answer.get_json()["creditsUsed"] == 60
        assert alice.get("/api/credits").get_json()["creditsPerImage"] == 60
        assert shown(alice, answer)[0]["resolution"] == "2K"
