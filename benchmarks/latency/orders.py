"""Ordering images: one after the other, or in a steady stream whatever becomes of them."""

import random
import time
from itertools import cycle

from benchmarks.latency.whole import Whole
from models.tables import Status
from tests.service import wait_until

ROUTE = "/api/image-optimization"
# A stream's images come at these distances, drawn anew each time: so many a second on average.
A_SECOND = 5.0


def one_by_one(whole: Whole, images: int, dice: random.Random) -> dict[int, float]:
    """Order an image whenever the last one is DONE; return when each job was posted, by its id."""
    posted: dict[int, float] = {}
    addresses = cycle(whole.photographs())
    before = whole.room.count(Status.DONE)
    for number in range(1, images + 1):
        posted |= _post(whole, next(addresses))
        _wait_done(whole, before + number)
        # Whatever has a rhythm of its own should meet an image at any moment of it.
        time.sleep(dice.uniform(0.02, 0.2))
    return posted


def streaming(whole: Whole, images: int, dice: random.Random) -> dict[int, float]:
    """Order `A_SECOND` images a second, and return when the last is DONE, as above."""
    posted: dict[int, float] = {}
    addresses = cycle(whole.photographs())
    before, due = whole.room.count(Status.DONE), time.monotonic()
    for _ in range(images):
        due += dice.uniform(0.5, 1.5) / A_SECOND
        time.sleep(max(0.0, due - time.monotonic()))
        posted |= _post(whole, next(addresses))
    _wait_done(whole, before + images)
    return posted


def _post(whole: Whole, address: str) -> dict[int, float]:
    """Order one image."""
    image = {"imageId": "photograph", "imageUrl": address, "prompt": "brighter"}
    order = {"productId": "shop", "productName": "The shop", "images": [image]}
    moment = time.time()
    answer = whole.api.post(ROUTE, json=order).raise_for_status()
    return {int(answer.json()["job"]["id"]): moment}


def _wait_done(whole: Whole, images: int) -> None:
    wait_until(lambda: whole.room.count(Status.DONE) == images, "DONE", every=0.02)
