"""What nothing can beat: a loop that only creates, polls and downloads.

`python -m benchmarks.worker.bare URL THREADS IMAGES` prints how long that took, in seconds of the
clock and of this process's CPU, as JSON. Nothing is checked, written down or kept.
"""

import json
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import httpx
from replicate.client import Client

MODEL = "google/nano-banana"


class Clients(NamedTuple):
    """What one thread works with: clients that all of them share are slower."""

    replicate: Client
    plain: httpx.Client


def main() -> None:
    """Make the images and say what that cost; building the clients is not part of it."""
    url, threads, images = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    clients = [connected(url) for _ in range(threads)]
    began, cpu = time.monotonic(), time.process_time()
    make(clients, images)
    spent = {"seconds": time.monotonic() - began, "cpu": time.process_time() - cpu}
    print(json.dumps(spent))


def make(clients: Sequence[Clients], images: int) -> None:
    """Make so many images, each of the clients in a thread of its own."""
    numbers = iter(range(images))
    with ThreadPoolExecutor(len(clients)) as line:
        for work in [line.submit(_work, each, numbers) for each in clients]:
            work.result()


def connected(url: str) -> Clients:
    """Build the clients of one thread, with a connection that is open."""
    clients = Clients(Client("r8_bare", base_url=url), httpx.Client(trust_env=False))
    clients.replicate.accounts.current()
    return clients


def _work(clients: Clients, numbers: Iterator[int]) -> None:
    for number in numbers:
        _make_one(clients, number)


def _make_one(clients: Clients, number: int) -> None:
    predictions = clients.replicate.predictions
    prediction = clients.replicate.models.predictions.create(MODEL, input=_input(number))
    while prediction.status != "succeeded":
        prediction = predictions.get(prediction.id)
    clients.plain.get(str(prediction.output)).raise_for_status()


def _input(number: int) -> dict[str, object]:
    """Like that of the images which the tests order."""
    return {
        "prompt": "brighter",
        "image_input": [f"https://shop.example/cup/{number}.jpg"],
        "aspect_ratio": "match_input_image",
        "output_format": "jpg",
    }


if __name__ == "__main__":
    main()
