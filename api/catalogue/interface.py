"""What a catalogue can be asked, and what it answers."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Protocol

# Where the next page begins: only the catalogue that gave it knows what it means.
Position = str | int


@dataclass(frozen=True, slots=True)
class ProductImage:
    """One photograph of a product; `alt` says what is on it."""

    id: str
    url: str
    alt: str


@dataclass(frozen=True, slots=True)
class Product:
    """A product with its images in the shop's order. `price` is a decimal text like "24.00",
    `currency` a code like EUR."""

    id: str
    name: str
    images: tuple[ProductImage, ...] = ()
    price: str | None = None
    currency: str | None = None

    @property
    def total_images(self) -> int:
        """How many images there are to choose from."""
        return len(self.images)

    @property
    def cover_url(self) -> str | None:
        """The address of the image that stands for the product in a list."""
        return self.images[0].url if self.images else None

    @property
    def facts(self) -> dict[str, Any]:
        """Everything about it, as JSON: what an answer's tag is made from."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Shelf:
    """Some products, and where those after them begin, if there are any."""

    products: tuple[Product, ...]
    after: Position | None = None


class Catalogue(Protocol):
    """Products of shops. `shop` names one where the catalogue knows several, and is None for an
    instance that is connected to none.

    Both raise `CatalogueNotConnected` and `CatalogueUnavailable`.
    """

    def shelf(self, shop: str | None, query: str, after: Position | None, limit: int) -> Shelf:
        """Return up to `limit` products whose names match `query`, which may be empty."""

    def product(self, shop: str | None, product_id: str) -> Product:
        """Return one product; raises `NotFound`."""


def without_twins(images: Iterable[ProductImage]) -> tuple[ProductImage, ...]:
    """The first image of each id: a job may name no id twice."""
    found: dict[str, ProductImage] = {}
    for image in images:
        found.setdefault(image.id, image)
    return tuple(found.values())
