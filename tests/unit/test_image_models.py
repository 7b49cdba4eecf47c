"""The list of prices, and the one that `make run` has."""

import pytest

from config.offers import read_offers
from models.errors import ModelNotOffered
from models.image_models import PriceList
from models.orders import ImageOrder
from sandbox.replicate.models import MODELS
from sandbox.settings import FURTHER_MODELS

CUP = ("cup", "https://shop.example/cup.jpg", "brighter")
OFFERED = PriceList(read_offers("MODELS", ["google/nano-banana=15", *FURTHER_MODELS.split(",")]))


def test_the_sandbox_offers_what_its_stand_in_can_make() -> None:
    offered = {model.name: model.resolutions for model in OFFERED.models}

    assert offered == {name: model.resolutions for name, model in MODELS.items()}
    for model in OFFERED.models:
        assert set(model.aspect_ratios) == set(MODELS[model.name].ratios)


@pytest.mark.parametrize(
    ("model", "resolution", "told"),
    [
        ("google/other", None, "google/other is not"),
        ("google/nano-banana-pro", None, "google/nano-banana-pro is not"),
        ("google/nano-banana", "2K", "google/nano-banana at 2K is not"),
    ],
)
def test_what_was_taken_off_the_list_has_no_price(
    model: str, resolution: str | None, told: str
) -> None:
    """An order is checked before; what is ordered again may have been offered once."""
    with pytest.raises(ModelNotOffered, match=told):
        OFFERED(ImageOrder(*CUP, model=model, resolution=resolution))
