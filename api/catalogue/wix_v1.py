"""Wix Stores, Catalog V1: sites that Wix has not moved to V3 yet."""

import json
from typing import Any

from api.catalogue.interface import Product
from api.catalogue.wix_shapes import dig, product_from

PATH = "/stores-reader/v1/products"


def page_request(query: str, after: int, limit: int) -> tuple[str, dict[str, Any]]:
    """Return the path and the body that ask for a page. Filter and order are texts with JSON in
    them; the order keeps pages by offset apart."""
    wish: dict[str, Any] = {
        "paging": {"limit": limit, "offset": after},
        "sort": json.dumps([{"numericId": "asc"}]),
    }
    if query:
        wish["filter"] = json.dumps({"name": {"$contains": query}})
    return f"{PATH}/query", {"query": wish}


def next_position(document: dict[str, Any], after: int, found: int) -> int | None:
    """Return the offset of the page after this answer's."""
    total = document.get("totalResults")
    end = after + found
    return end if found and isinstance(total, int) and end < total else None


def product_path(product_id: str) -> tuple[str, dict[str, Any]]:
    """Return the path of a product and its query."""
    return f"{PATH}/{product_id}", {}


def read_product(raw: object) -> Product:
    """Return a product; its price has the discounts taken off."""
    items = dig(raw, "media", "items")
    media = items if isinstance(items, list) and items else [dig(raw, "media", "mainMedia")]
    data = dig(raw, "priceData") or dig(raw, "price")
    reduced = dig(data, "discountedPrice")
    price = dig(data, "price") if reduced is None else reduced
    return product_from(raw, media, price, dig(data, "currency"))
