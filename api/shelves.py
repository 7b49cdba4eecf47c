"""Products as the instance that asks may see them: its own shop's, and only with images that it
can order."""

from dataclasses import dataclass, replace

from marshmallow import ValidationError

from api import current, cursors
from api.catalogue.interface import Product
from api.fields import ImageUrl
from models import accounts

_IMAGE_URL = ImageUrl()


@dataclass(frozen=True, slots=True)
class Page:
    """Some products, and where those after them begin, if there are any."""

    products: tuple[Product, ...]
    next_cursor: str | None

    @property
    def versions(self) -> list[object]:
        """What changes whenever this page does."""
        return [self.next_cursor, *(product.facts for product in self.products)]


def page_of_products(limit: int, query: str = "", cursor: str | None = None) -> Page:
    """Return a page of the shop's products; raises `InvalidInput` for a cursor that is not of this
    instance and this `query`."""
    kind = f"products {query!r}"
    after = cursors.read(kind, cursor) if cursor else None
    shop, parts = _shop(), current.parts()
    with parts.rooms.catalogue.place():
        shelf = parts.catalogue.shelf(shop, query, after, limit)
    products = tuple(_orderable(product) for product in shelf.products)
    return Page(products, None if shelf.after is None else cursors.write(kind, shelf.after))


def product(product_id: str) -> Product:
    """Return one of the shop's products; raises `NotFound`."""
    shop, parts = _shop(), current.parts()
    with parts.rooms.catalogue.place():
        found = parts.catalogue.product(shop, product_id)
    return _orderable(found)


def _shop() -> str | None:
    return accounts.wix_instance_id(current.instance())


def _orderable(product: Product) -> Product:
    """Leave out the images that an order would be refused for."""
    return replace(product, images=tuple(i for i in product.images if _may_be_ordered(i.url)))


def _may_be_ordered(url: str) -> bool:
    try:
        _IMAGE_URL.deserialize(url)
    except ValidationError:
        return False
    return True
