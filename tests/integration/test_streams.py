"""Streams of a real gunicorn: in pieces, with room for others, and ended with their process."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest
from flask import Flask

from models import lifecycle
from tests.api.clients import JOBS, Shop, open_shop, order
from tests.api.conftest import serving
from tests.databases import settings_for
from tests.service import Service, service, wait_until
from tests.shop import DEADLINE
from tests.tether import free_port


@pytest.fixture
def app(postgres_database: str) -> Iterator[Flask]:
    """An API on the same database, to order with."""
    with serving(settings_for(postgres_database)) as app:
        yield app


@pytest.fixture
def running(postgres_database: str, redis_url: str, tmp_path: Path) -> Iterator[Service]:
    settings = {
        "DATABASE_URL": postgres_database,
        "REDIS_URL": redis_url,
        "SECRET_KEY": "secret-of-the-tests",
        "REPLICATE_API_TOKEN": "r8_test",
        "STORAGE_URL": f"file://{tmp_path}/results",
        "SANDBOX": "true",
    }
    with service(tmp_path / "service", **settings) as running:
        yield running


@contextmanager
def stream(client: httpx.Client, shop: Shop, job: int = 1) -> Iterator[Iterator[str]]:
    """The pieces of a stream as they come."""
    with client.stream("GET", f"{JOBS}/{job}/events", headers=shop.bearer) as answer:
        answer.raise_for_status()
        yield answer.iter_text()


def test_streams_come_in_pieces_leave_room_and_end_with_their_process(
    app: Flask, running: Service
) -> None:
    port = free_port()
    api = running.api(port)
    shops = [open_shop(app, f"shop-{n}") for n in range(4)]
    for shop in shops:
        shop.post(order(1))
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30, trust_env=False) as client:
        with stream(client, shops[0]) as first, stream(client, shops[0]) as second:
            assert next(first) == next(second) == "retry: 3000\n\n"
            assert next(first).startswith("id: 1-")
            with app.app_context():
                lifecycle.claim_next(DEADLINE)
            assert any('"status": "RUNNING"' in piece for piece in first)
            refused = client.get(f"{JOBS}/1/events", headers=shops[0].bearer)
            assert (refused.status_code, refused.json()["code"]) == (503, "streams_busy")
        with ExitStack() as stack:
            pieces = [
                patiently(stack, client, shop, job)
                for job, shop in enumerate(shops, start=1)
                for _ in range(2)
            ]
            assert client.get("/api/queue", headers=shops[0].bearer).is_success
            api.popen.terminate()
            texts = ["".join(each) for each in pieces]
            wait_until(lambda: api.ended, "the process is gone")

    assert api.popen.returncode == 0
    assert all("event: job" in text and "event: end" not in text for text in texts)
    assert api.times_said("stream ended") >= 10
    assert api.complaints() == []


def patiently(stack: ExitStack, client: httpx.Client, shop: Shop, job: int) -> Iterator[str]:
    """A stream, as soon as there is one to be had: who has left leaves room within a second."""
    found: list[Iterator[str]] = []

    def opened() -> bool:
        try:
            found.append(stack.enter_context(stream(client, shop, job)))
        except httpx.HTTPStatusError:
            return False
        return True

    wait_until(opened, "a stream is to be had")
    return found[0]
