"""The logs of real processes: an image can be followed by its ids, and no secret is in them."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from models import accounts
from models.tables import Status
from tests.api.clients import ROUTE, image, order
from tests.darkroom import Darkroom, darkroom
from tests.service import wait_until
from tests.stand_in import StandIn
from tests.tether import free_port
from tests.valkey import PASSWORD, Valkey

SECRETS = {
    "SECRET_KEY": "cookie-and-cursor-signer",
    "REPLICATE_API_TOKEN": "r8_pays-for-everything",
    "METRICS_TOKEN": "scraper-opens-metrics",
    "FLOWER_BASIC_AUTH": "operator:flower-password",
    "REPLICATE_WEBHOOK_SECRET": "whsec_c2lnbnMgZXZlcnkgd2ViaG9vaw==",
    "SENTRY_DSN": "http://key-of-the-dsn@127.0.0.1:1/1",
}
DATABASE_PASSWORD = "database-password-4711"


@pytest.fixture
def valkey() -> Iterator[Valkey]:
    """One of the test's own, because it is taken away."""
    server = Valkey().start()
    yield server
    server.close()


@pytest.fixture
def room(
    postgres_database: str, valkey: Valkey, stand_in: StandIn, tmp_path: Path
) -> Iterator[Darkroom]:
    """A Darkroom that says all that it can, with secrets that are easy to find."""
    told = {"LOG_LEVEL": "DEBUG", "ALLOW_PRIVATE_IMAGE_URLS": "true"}
    database = postgres_database.replace("postgres@", f"postgres:{DATABASE_PASSWORD}@")
    with darkroom(database, valkey.url, stand_in, tmp_path, **SECRETS, **told) as built:
        yield built


def lines(room: Darkroom) -> list[dict[str, Any]]:
    """Every JSON line of every process."""
    texts = [process.log.read_text() for process in room.service.processes]
    every = [line for text in texts for line in text.splitlines()]
    return [json.loads(line) for line in every if line.startswith("{")]


def said(room: Darkroom, event: str) -> list[dict[str, Any]]:
    return [line for line in lines(room) if line["event"] == event]


def post(port: int, token: str, room: Darkroom) -> int:
    answer = httpx.post(
        f"http://127.0.0.1:{port}{ROUTE}",
        json=order(0, images=[image(0, imageUrl=f"{room.stand_in.url}/shop/cat/front.jpg")]),
        headers={"Authorization": f"Bearer {token}", "X-Request-Id": "request-4711"},
        timeout=10,
        trust_env=False,
    )
    assert answer.status_code == 201
    return int(answer.json()["job"]["id"])


def test_an_image_is_followed_by_its_ids_and_no_secret_is_told(
    room: Darkroom, valkey: Valkey
) -> None:
    with room.app.app_context():
        alice, token = accounts.create("alice", "pro")
    room.service.start()
    port = free_port()
    api = room.service.api(port)

    job = post(port, token, room)
    wait_until(lambda: room.count(Status.DONE) == 1, "the image is DONE")
    valkey.stop()
    post(port, token, room)
    wait_until(lambda: said(room, "message not sent"), "the API misses Redis")
    wait_until(lambda: "Cannot connect" in str(lines(room)), "the workers miss Redis")
    valkey.start()
    wait_until(lambda: room.count(Status.DONE) == 2, "the other image is DONE")

    submitted, created, stored = (
        said(room, event)[0] for event in ("job submitted", "prediction created", "result stored")
    )
    first = {"request": "request-4711", "instance": alice.id, "job": job}
    assert first.items() <= submitted.items()
    assert first.items() <= said(room, "request")[-2].items()
    assert {"instance": alice.id, "job": job}.items() <= created.items()
    shared = ("item", "attempt", "prediction")
    assert [stored[name] for name in shared] == [created[name] for name in shared]
    assert all(line.startswith("{") for line in api.log.read_text().splitlines())
    everything = "".join(process.log.read_text() for process in room.service.processes)
    passwords = [text.partition(":")[2] or text for text in SECRETS.values()]
    for secret in (*passwords, "key-of-the-dsn", token, PASSWORD, DATABASE_PASSWORD):
        assert secret not in everything
