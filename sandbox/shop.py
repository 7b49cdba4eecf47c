"""The demo shop: a few products, made of free photographs, to order from."""

import functools
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image, ImageOps

from sandbox.views import SAID, TONES, VIEWS

HERE = Path(__file__).parent
PHOTOGRAPHS = HERE / "photos"
LONGER_SIDE = 560


@dataclass(frozen=True)
class FirstImage:
    """One image of the demo's first job; `path` is what follows the shop's base URL."""

    image_id: str
    path: str
    prompt: str


@dataclass(frozen=True)
class FirstJob:
    """What the demo orders when it starts for the first time."""

    product_id: str
    product_name: str
    images: tuple[FirstImage, ...]


def product_list(base_url: str) -> dict[str, object]:
    """The body of /shop/products.json: {"products": [{id, name, price, currency, images}]}.

    An image is {id, url, alt}; `base_url` is the address that the shop is reached by. It is also
    what the service reads as its catalogue.
    """
    return {"products": [_shown(product, base_url) for product in _catalogue()["products"]]}


def picture(product_id: str, view: str) -> bytes | None:
    """The JPEG at /shop/{product_id}/{view}.jpg, or None when the shop has no such picture.

    Only what products.json lists is looked for, so no path can lead out of the photographs.
    """
    known = any(
        product["id"] == product_id and view in product["views"]
        for product in _catalogue()["products"]
    )
    return _developed(product_id, view) if known else None


def first_job() -> FirstJob:
    """The demo's first job: each photograph once, with a wish of its own."""
    job = _catalogue()["firstJob"]
    images = tuple(_first_image(**image) for image in job["images"])
    return FirstJob(job["productId"], job["productName"], images)


def _shown(product: dict[str, Any], base_url: str) -> dict[str, object]:
    facts = {name: product[name] for name in ("id", "name", "price", "currency")}
    images = [
        {
            "id": f"{product['id']}-{view}",
            "url": base_url.rstrip("/") + _path(product["id"], view),
            "alt": product["name"] + SAID[view],
        }
        for view in product["views"]
    ]
    return {**facts, "images": images}


def _first_image(product: str, view: str, prompt: str) -> FirstImage:
    return FirstImage(f"{product}-{view}", _path(product, view), prompt)


def _path(product_id: str, view: str) -> str:
    return f"/shop/{product_id}/{view}.jpg"


@functools.cache
def _catalogue() -> dict[str, Any]:
    catalogue: dict[str, Any] = json.loads((HERE / "products.json").read_text("utf-8"))
    return catalogue


@functools.cache
def _developed(product_id: str, view: str) -> bytes:
    """Make the view once; the front of a whole photograph is its own file, not encoded again."""
    (product,) = (each for each in _catalogue()["products"] if each["id"] == product_id)
    file = PHOTOGRAPHS / f"{product['photo']}.jpg"
    if view == "front" and not {"crop", "tone"} & product.keys():
        return file.read_bytes()
    made = io.BytesIO()
    with Image.open(file) as photograph:
        VIEWS[view](_prepared(photograph.convert("RGB"), product)).save(made, "JPEG", quality=88)
    return made.getvalue()


def _prepared(photograph: Image.Image, product: dict[str, Any]) -> Image.Image:
    """What of the photograph is the product, and in its own colours."""
    if "crop" in product:
        photograph = _cut(photograph, product["crop"])
    return TONES[product["tone"]](photograph) if "tone" in product else photograph


def _cut(photograph: Image.Image, edges: list[float]) -> Image.Image:
    """The part within the edges (left, top, right, bottom as shares), as large as a photograph."""
    width, height = photograph.size
    left, top, right, bottom = edges
    part = photograph.crop(
        (round(left * width), round(top * height), round(right * width), round(bottom * height))
    )
    return ImageOps.contain(part, (LONGER_SIDE, LONGER_SIDE), Image.Resampling.LANCZOS)
