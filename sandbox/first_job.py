"""The first job: one photograph of each demo product, each with a wish of its own."""

import os
from pathlib import Path
from typing import Any

import httpx
import replicate
from replicate.exceptions import ReplicateError

from sandbox.settings import Addresses
from sandbox.trouble import Trouble

KEY = "the-first-job-of-make-run"
PHOTOGRAPHS = Path(__file__).parent / "photos"
PROMPTS = (
    "brighter, on a white background",
    "warmer light, like a sunny afternoon",
    "black and white, with more contrast",
    "sharper, and more vivid colours",
    "cooler and a little softer",
)


def first_order(where: Addresses) -> dict[str, Any]:
    """The order, with addresses from which the model can fetch the photographs.

    Replicate itself cannot reach this machine: there the photographs are uploaded first. It keeps
    them for a day.
    """
    found = _in_the_shop(where.stand_in) if where.stand_in else _uploaded(where.replicate)
    images = [
        {"imageId": name, "imageUrl": url, "prompt": prompt}
        for (name, url), prompt in zip(found, PROMPTS, strict=False)
    ]
    return {"productId": "demo", "productName": "The demo photographs", "images": images}


def _in_the_shop(stand_in: str) -> list[tuple[str, str]]:
    """The first view of each product in the shop that the stand-in serves."""
    try:
        answer = httpx.get(f"{stand_in}/shop/products.json", timeout=10, trust_env=False)
        products = answer.raise_for_status().json()["products"]
    except httpx.HTTPError as error:
        raise Trouble(f"The demo shop at {stand_in} does not answer: {error}") from error
    return [(product["id"], product["images"][0]["url"]) for product in products]


def _uploaded(base_url: str) -> list[tuple[str, str]]:
    """Upload the photographs by the official client's files API."""
    client = replicate.client.Client(api_token=_token(), base_url=base_url)
    try:
        return [
            (photograph.stem, client.files.create(photograph).urls["get"])
            for photograph in sorted(PHOTOGRAPHS.glob("*.jpg"))
        ]
    except (ReplicateError, httpx.HTTPError) as error:
        raise Trouble(f"The photographs could not be uploaded to {base_url}: {error}") from error


def _token() -> str:
    file = os.environ.get("REPLICATE_API_TOKEN_FILE")
    return (Path(file).read_text() if file else os.environ["REPLICATE_API_TOKEN"]).strip()
