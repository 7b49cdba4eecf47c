"""Containers with the image's libraries alone, and an order of real photographs for them."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import cycle, islice

import httpx

from benchmarks.servers import Servers
from benchmarks.size import image
from sandbox.shop import first_job
from tests.containers import READY, Container, running
from tests.darkroom import Darkroom, darkroom

SETTINGS = {
    "ALLOW_PRIVATE_IMAGE_URLS": "true",
    "API_RATE_LIMIT": "100000/1m",
    # As many at once as it has threads.
    "REPLICATE_RATE_LIMIT": "1000/1s",
    "SWEEP_INTERVAL": "30s",
}


@dataclass(frozen=True)
class Containers:
    """Some of compose's services on the same servers."""

    room: Darkroom
    by_name: dict[str, Container]

    def pid(self, service: str) -> int:
        """The process that is the container's first."""
        return self.by_name[service].process.pid

    def client(self, shop: str) -> httpx.Client:
        """A new shop as a client of the API."""
        return httpx.Client(
            base_url=f"http://127.0.0.1:{self.by_name['api'].port}",
            headers=self.room.customer(shop),
            timeout=30,
            trust_env=False,
        )

    def orders(self, images: int) -> list[dict[str, object]]:
        """Orders of real photographs, of 10 at the most, so many in all."""
        stand_in = self.room.stand_in.url
        urls = islice(cycle(stand_in + each.path for each in first_job().images), images)
        wishes = [
            {"imageId": f"photograph-{number}", "imageUrl": url, "prompt": "brighter"}
            for number, url in enumerate(urls)
        ]
        return [
            {"productId": "shop", "productName": "The shop", "images": wishes[start : start + 10]}
            for start in range(0, images, 10)
        ]


@contextmanager
def containers(servers: Servers, *services: str, **settings: str) -> Iterator[Containers]:
    """Start these services as compose does, and wait until they are ready; all end together."""
    settings = SETTINGS | settings
    with (
        darkroom(
            servers.database_url, servers.redis_url, servers.stand_in, servers.folder, **settings
        ) as room,
        ExitStack() as stack,
    ):
        environment = image.environment(**room.service.environment)
        by_name = {}
        for service in services:
            folder = servers.folder / service
            folder.mkdir(exist_ok=True)
            by_name[service] = stack.enter_context(running(service, environment, folder))
        for service, container in by_name.items():
            container.wait_until(READY[service])
        yield Containers(room, by_name)
