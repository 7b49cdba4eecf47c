"""The first job: each demo photograph once, with a wish of its own."""

import io
import os
from pathlib import Path, PurePosixPath
from typing import Any

import httpx
from replicate.client import Client
from replicate.exceptions import ReplicateError

from sandbox.settings import Addresses
from sandbox.shop import FirstImage, first_job, picture
from sandbox.trouble import Trouble

# Submitting it twice makes one job, whatever happens between the first answer and its note.
KEY = "the-first-job-of-make-run"


def first_order(where: Addresses) -> dict[str, Any]:
    """The order, with addresses from which the model can fetch the photographs."""
    job = first_job()
    urls = (
        [where.stand_in + image.path for image in job.images]
        if where.stand_in
        else uploaded(job.images, where.replicate)
    )
    images = [
        {"imageId": image.image_id, "imageUrl": url, "prompt": image.prompt}
        for image, url in zip(job.images, urls, strict=True)
    ]
    return {"productId": job.product_id, "productName": job.product_name, "images": images}


def uploaded(images: tuple[FirstImage, ...], base_url: str) -> list[str]:
    """Upload the photographs by the official client: Replicate cannot reach this machine.

    It keeps them for a day.
    """
    try:
        # The client itself cannot be closed; what holds its connections can.
        with httpx.HTTPTransport() as transport:
            client = Client(api_token=_token(), base_url=base_url, transport=transport)
            return [client.files.create(_file(image)).urls["get"] for image in images]
    except (ReplicateError, httpx.HTTPError) as error:
        raise Trouble(f"The photographs could not be uploaded to {base_url}: {error}") from error


def _file(image: FirstImage) -> io.BytesIO:
    path = PurePosixPath(image.path)
    content = picture(path.parent.name, path.stem)
    if content is None:
        raise Trouble(f"The demo shop has no picture {image.path}: sandbox/products.json is wrong.")
    file = io.BytesIO(content)
    file.name = f"{image.image_id}.jpg"
    return file


def _token() -> str:
    file = os.environ.get("REPLICATE_API_TOKEN_FILE")
    return (Path(file).read_text() if file else os.environ["REPLICATE_API_TOKEN"]).strip()
