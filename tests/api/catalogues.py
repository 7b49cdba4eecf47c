"""The API on a catalogue: in a file, or at the stand-in for Wix."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from flask import Flask

from api import current
from api.catalogue.wix import Wix
from config.settings import Settings
from models import accounts
from tests.api.clients import Shop
from tests.api.conftest import serving
from tests.wix_stand_in import APP_ID, APP_SECRET, WixStandIn

PRODUCTS = "/api/products"
CUPS = ("Red cup", "Blue cup", "Teapot", "Green cup", "Cup of tea")


def cup(n: int = 0, /, images: int = 2, **changes: Any) -> dict[str, Any]:
    """A product as a catalogue's file holds it."""
    pictures = [
        {"id": f"cup-{n}-{i}", "url": f"https://shop.example/cup/{n}/{i}.jpg"}
        for i in range(images)
    ]
    return {"id": f"cup-{n}", "name": f"The cup {n}", "images": pictures} | changes


def written(file: Path, *products: object) -> Path:
    """Write a catalogue's file."""
    file.write_text(json.dumps({"products": products}))
    return file


@contextmanager
def on_file(settings: Settings, file: Path) -> Iterator[Flask]:
    """The API on a catalogue's file, which need not exist yet."""
    with serving(replace(settings, catalogue_url=file.as_uri())) as app:
        yield app


@contextmanager
def on_wix(settings: Settings, wix: WixStandIn, secret: str = APP_SECRET) -> Iterator[Flask]:
    """The API on the stand-in for Wix."""
    url = f"wix+{wix.server.url}"
    changes = {"catalogue_url": url, "wix_app_id": APP_ID, "wix_app_secret": secret}
    with serving(replace(settings, **changes)) as app:  # type: ignore[arg-type]
        yield app
        with app.app_context():
            catalogue = current.parts().catalogue
        assert isinstance(catalogue, Wix)
        catalogue.close()


def connect(shop: Shop, name: str, wix_instance_id: str) -> Shop:
    """Connect a shop's instance to a Wix site."""
    with shop.app.app_context():
        accounts.connect(name, wix_instance_id)
    return shop


def names(shop: Shop, query: str = "") -> list[str]:
    """The names of the products of all pages, in order."""
    found: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = shop.get(f"{PRODUCTS}?limit=2{query}" + (f"&cursor={cursor}" if cursor else ""))
        assert page.status_code == 200, page.text
        found += [product["name"] for product in page.get_json()["products"]]
        cursor = page.get_json()["nextCursor"]
    return found


def refused(shop: Shop, path: str) -> tuple[int, str]:
    """The status and the code of the problem that is answered."""
    answer = shop.get(path)
    return answer.status_code, answer.get_json()["code"]
