"""Everything that production runs: gunicorn, a worker, a housekeeper, the scheduler."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx

from benchmarks.servers import servers
from sandbox.shop import first_job
from tests.darkroom import Darkroom, darkroom
from tests.service import Process
from tests.tether import free_port

POLL = 2.0
SETTINGS = {
    "ALLOW_PRIVATE_IMAGE_URLS": "true",
    "API_RATE_LIMIT": "100000/1m",
    # Far more than is sent: nothing here waits for a slot.
    "REPLICATE_RATE_LIMIT": "1000/10s",
    "SWEEP_INTERVAL": "30s",
    "POLL_INTERVAL": f"{POLL:g}s",
    # Only then Celery tells when each message came (`lines.py`); it takes more time, not less.
    "LOG_LEVEL": "DEBUG",
}


@dataclass(frozen=True)
class Whole:
    """All of it with one shop, whose photographs lie at the stand-in."""

    room: Darkroom
    api: httpx.Client
    worker: Process
    housekeeper: Process

    def photographs(self) -> list[str]:
        """The addresses of real photographs, which the stand-in's model retouches."""
        return [self.room.stand_in.url + image.path for image in first_job().images]


@contextmanager
def whole(webhooks: bool) -> Iterator[Whole]:
    """Start it; `webhooks` says whether Replicate can call it, or is polled. Leaves nothing."""
    port = free_port()
    public = {"PUBLIC_BASE_URL": f"http://127.0.0.1:{port}"} if webhooks else {}
    settings = SETTINGS | public
    with (
        servers() as below,
        darkroom(
            below.database_url, below.redis_url, below.stand_in, below.folder, **settings
        ) as room,
    ):
        room.service.api(port)
        worker, housekeeper, _beat = room.service.start()
        with httpx.Client(
            base_url=f"http://127.0.0.1:{port}", headers=room.customer("alice"), timeout=10,
            trust_env=False,
        ) as api:  # fmt: skip
            yield Whole(room, api, worker, housekeeper)
