"""The models that may be ordered, what each of them takes, and what an image of it costs.

What a model takes stands here as Replicate's own pages tell it (docs/options.md); which of them are
offered, and for how much, is the operator's choice (`Settings.offers`).
"""

from collections.abc import Iterable
from dataclasses import dataclass

from config.offers import Offer
from models.errors import ModelNotOffered
from models.orders import ImageOrder

MATCH = "match_input_image"
ASPECT_RATIOS = (
    MATCH, "1:1", "2:3", "3:2", "3:4", "4:3", "4:5", "5:4", "9:16", "16:9", "21:9",
)  # fmt: skip
# What single models take besides; of a model that is not known here, the usual ones are believed.
FURTHER_RATIOS = {"google/nano-banana-2": ("1:4", "4:1", "1:8", "8:1")}
EVERY_RATIO = (*ASPECT_RATIOS, *(ratio for more in FURTHER_RATIOS.values() for ratio in more))
OUTPUT_FORMATS = ("jpg", "png")
# The models take 14 images and more; what is downloaded for one prediction should stay small.
MOST_REFERENCES = 3


@dataclass(frozen=True, slots=True)
class Price:
    """What one image costs, at a resolution if its model has several."""

    resolution: str | None
    credits: int


@dataclass(frozen=True, slots=True)
class ImageModel:
    """A model that may be ordered. An order that names no resolution gets that of the first price;
    a model without resolutions has one price."""

    name: str
    prices: tuple[Price, ...]

    @property
    def resolutions(self) -> tuple[str, ...]:
        """The resolutions that may be chosen; none where the model has no choice."""
        return tuple(price.resolution for price in self.prices if price.resolution)

    @property
    def aspect_ratios(self) -> tuple[str, ...]:
        """The shapes that it can make."""
        return (*ASPECT_RATIOS, *FURTHER_RATIOS.get(self.name, ()))

    @property
    def output_formats(self) -> tuple[str, ...]:
        """The files that it can make: all of them the same ones."""
        return OUTPUT_FORMATS

    @property
    def most_reference_images(self) -> int:
        """How many may be given beside the image itself."""
        return MOST_REFERENCES

    def resolution(self, wanted: str | None) -> str | None:
        """What an order that names `wanted`, or nothing, gets."""
        return wanted or self.prices[0].resolution


class PriceList:
    """What may be ordered; the first model is what an order that names none gets. Called with an
    order, it tells the price: a `Pricing`."""

    def __init__(self, offers: Iterable[Offer]) -> None:
        prices: dict[str, list[Price]] = {}
        for offer in offers:
            prices.setdefault(offer.model, []).append(Price(offer.resolution, offer.credits))
        self.models = tuple(ImageModel(name, tuple(of_it)) for name, of_it in prices.items())

    def model(self, name: str | None) -> ImageModel | None:
        """The model of that name, or the default for None; None where it is not offered."""
        if name is None:
            return self.models[0]
        return next((model for model in self.models if model.name == name), None)

    def __call__(self, image: ImageOrder) -> int:
        """The credits of an image; raises `ModelNotOffered`."""
        model = self.model(image.model)
        for price in model.prices if model else ():
            if price.resolution == image.resolution:
                return price.credits
        wanted = Offer(image.model, image.resolution, 0)
        raise ModelNotOffered(f"{wanted} is not offered any more: order the image anew.")
