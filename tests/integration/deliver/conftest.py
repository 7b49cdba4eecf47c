"""A shop's app on this machine, and a sender without patience."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from tasks.courier import Courier
from tasks.gear import Gear
from tests.integration.deliver.kit import TOTAL
from tests.outside import Outside, gear_around
from tests.scripted_server import ScriptedServer, answer, scripted_server

FAST = httpx.Timeout(0.8)
ACCEPTED = answer(204, b"")


@pytest.fixture
def app() -> Iterator[ScriptedServer]:
    """A shop's app that accepts everything, until a test lets it answer otherwise."""
    with scripted_server() as server:
        server.play(ACCEPTED)
        yield server


@pytest.fixture
def gear(database_url: str, redis_url: str, outside: Outside, tmp_path: Path) -> Iterator[Gear]:
    """The gear of a process that may send to this machine, and has little patience."""
    facts = {"allow_private_webhook_urls": True, "public_base_url": "https://darkroom.example"}
    with gear_around(outside, database_url, redis_url, tmp_path, **facts) as built:
        built.courier.close()
        courier = Courier(built.settings, phases=FAST, total=TOTAL)
        yield replace(built, courier=courier)
        courier.close()
