"""Wix Stores, Catalog V3: the present one."""

import re
from typing import Any

from api.catalogue.errors import CatalogueUnavailable
from api.catalogue.interface import Product
from api.catalogue.wix_shapes import dig, product_from

# Both are left out of an answer unless they are asked for, on every page again.
FIELDS = ["MEDIA_ITEMS_INFO", "CURRENCY"]
# Ours is 4000 characters at most, quoted and signed.
_CURSOR = re.compile(r"[\x20-\x7e]{1,1400}")


def page_request(query: str, after: str | None, limit: int) -> tuple[str, dict[str, Any]]:
    """Return the path and the body that ask for a page; a cursor goes on with the search that it
    came from, so that it is sent alone."""
    paging = {"limit": limit} | ({"cursor": after} if after else {})
    if not query:
        return "/stores/v3/products/query", {"query": {"cursorPaging": paging}, "fields": FIELDS}
    search: dict[str, Any] = {"cursorPaging": paging}
    if not after:
        search["search"] = {"expression": query, "fields": ["name"]}
    return "/stores/v3/products/search", {"search": search, "fields": FIELDS}


def next_position(document: dict[str, Any]) -> str | None:
    """Return Wix's cursor of the page after this answer's.

    Raises `CatalogueUnavailable` for one that ours could not hold: the last page it is not.
    """
    cursor = dig(document, "pagingMetadata", "cursors", "next")
    if not isinstance(cursor, str) or not cursor:
        return None
    if not _CURSOR.fullmatch(cursor):
        raise CatalogueUnavailable("Wix: a cursor that is no text in ASCII, or a very long one")
    return cursor


def product_path(product_id: str) -> tuple[str, dict[str, Any]]:
    """Return the path of a product and its query."""
    return f"/stores/v3/products/{product_id}", {"fields": FIELDS}


def read_product(raw: object) -> Product:
    """Return a product; its price is the lowest of its variants, discounts taken off."""
    items = dig(raw, "media", "itemsInfo", "items")
    main = dig(raw, "media", "main")
    media = items if isinstance(items, list) and items else [main]
    price = dig(raw, "actualPriceRange", "minValue", "amount")
    return product_from(raw, media, price, dig(raw, "currency"))
