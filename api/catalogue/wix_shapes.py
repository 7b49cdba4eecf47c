"""What both of Wix's catalogues have in common in their answers."""

import hashlib
import re
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from typing import Any

from api.catalogue.errors import CatalogueUnavailable
from api.catalogue.interface import Product, ProductImage, without_twins

MEDIA = "https://static.wixstatic.com/media/"
_WIX_IMAGE = re.compile(r"wix:image://v1/([^/#?]+)")
_CURRENCY = re.compile(r"[A-Z]{3}")
# What an order takes of a name and of an image's id.
LONGEST_NAME, LONGEST_ID = 500, 255
LONGEST_NUMBER = 40
# Wix takes up to 15 for a product.
MOST_IMAGES = 100
# Wix's ids. Anything else could mean another address of Wix's.
GUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")


def dig(value: object, *path: str) -> Any:
    """Return what lies at the end of a path of keys, or None where it breaks off."""
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def products_of(document: dict[str, Any], limit: int) -> list[dict[str, Any]]:
    """Return a page's products; an empty page may leave the list out.

    Raises `CatalogueUnavailable` where the answer is not what Wix documents.
    """
    products = document.get("products", [])
    if not isinstance(products, list) or not all(isinstance(each, dict) for each in products):
        raise CatalogueUnavailable("Wix: `products` is no list of objects")
    return products[:limit]


def openable(products: Iterable[Product]) -> tuple[Product, ...]:
    """Leave out what could be shown in a list but not be asked for."""
    return tuple(product for product in products if GUID.fullmatch(product.id))


def product_from(raw: object, media: list[Any], price: object, currency: object) -> Product:
    """Return the product; videos and images without an address are left out."""
    id, name = dig(raw, "id"), dig(raw, "name")
    if not (isinstance(id, str) and id and isinstance(name, str) and name):
        raise CatalogueUnavailable("Wix: a product without `id` or `name`")
    name = _clean(name) or id
    images = (_image(each, name) for each in media[:MOST_IMAGES])
    known = isinstance(currency, str) and _CURRENCY.fullmatch(currency)
    amount = decimal(price)
    return Product(
        id,
        name,
        without_twins(image for image in images if image),
        price=amount if known else None,
        currency=str(currency) if known and amount else None,
    )


def decimal(amount: object) -> str | None:
    """Return a number or its text with two decimals at least and four at most, or None where it is
    neither."""
    if not isinstance(amount, str | int | float) or len(str(amount)) > LONGEST_NUMBER:
        return None
    try:
        number = Decimal(str(amount))
    except InvalidOperation:
        return None
    if not number.is_finite() or number < 0 or number > 10**12:
        return None
    cents, exact = number.quantize(Decimal("0.01")), number.quantize(Decimal("0.0001"))
    return f"{cents if cents == exact else exact.normalize():f}"


def _image(raw: object, name: str) -> ProductImage | None:
    """V3 says IMAGE, V1 image. Where an image was given by its address, V3 tells only that."""
    kind = dig(raw, "mediaType") or "image"
    url = _web_address(dig(raw, "image", "url") or dig(raw, "image") or dig(raw, "url"))
    if kind not in ("IMAGE", "image") or not url:
        return None
    id = dig(raw, "id")
    alt = dig(raw, "altText") or dig(raw, "image", "altText") or dig(raw, "title")
    usable = isinstance(id, str) and 0 < len(id) <= LONGEST_ID and id.isprintable()
    return ProductImage(
        str(id) if usable else _short(url), url, _clean(alt) if isinstance(alt, str) else name
    )


def _clean(text: str) -> str:
    """Without control characters and halves of surrogate pairs, which no order could hold."""
    shown = "".join(each if each.isprintable() else " " for each in text[:LONGEST_NAME])
    return shown.strip()


def _web_address(url: object) -> str | None:
    """Return where a browser finds it: Wix also names images by `wix:image://v1/<id>/<name>`.

    Half a surrogate pair, which JSON can hold, is not printable: no address could be made of it.
    """
    if not isinstance(url, str) or not url.isprintable():
        return None
    match = _WIX_IMAGE.match(url)
    return MEDIA + match[1] if match else url


def _short(url: str) -> str:
    return hashlib.sha256(url.encode()).hexdigest()[:32]
