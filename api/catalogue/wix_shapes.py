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


def dig(value: object, *path: str) -> Any:
    """Return what lies at the end of a path of keys, or None where it breaks off."""
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def products_of(document: dict[str, Any]) -> list[dict[str, Any]]:
    """Return a page's products; an empty page may leave the list out.

    Raises `CatalogueUnavailable` where the answer is not what Wix documents.
    """
    products = document.get("products", [])
    if not isinstance(products, list) or not all(isinstance(each, dict) for each in products):
        raise CatalogueUnavailable("Wix: `products` is no list of objects")
    return products


def product_from(raw: object, media: Iterable[object], price: object, currency: object) -> Product:
    """Return the product; videos and images without an address are left out."""
    id, name = dig(raw, "id"), dig(raw, "name")
    if not (isinstance(id, str) and id and isinstance(name, str) and name):
        raise CatalogueUnavailable("Wix: a product without `id` or `name`")
    images = (_image(each, name) for each in media)
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
    """Return a number or its text with two decimals at least, or None where it is neither."""
    try:
        number = Decimal(str(amount))
    except InvalidOperation:
        return None
    if not number.is_finite() or number < 0 or number > 10**12:
        return None
    cents = number.quantize(Decimal("0.01"))
    return f"{cents if cents == number else number.normalize():f}"


def _image(raw: object, name: str) -> ProductImage | None:
    """V3 says IMAGE, V1 image. Where an image was given by its address, V3 tells only that."""
    kind = str(dig(raw, "mediaType") or "image").lower()
    url = _web_address(dig(raw, "image", "url") or dig(raw, "image") or dig(raw, "url"))
    if kind != "image" or not url:
        return None
    id = dig(raw, "id")
    alt = dig(raw, "altText") or dig(raw, "image", "altText") or dig(raw, "title")
    return ProductImage(
        id if isinstance(id, str) and 0 < len(id) <= 255 else _short(url),
        url,
        alt if isinstance(alt, str) else name,
    )


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
