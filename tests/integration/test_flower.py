"""Flower in front of real workers: who sees it, what it shows, and what it never shows."""

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import httpx
import pytest

from models import accounts, ledger, lifecycle
from models.orders import ImageOrder, JobOrder
from tests.darkroom import Darkroom, darkroom
from tests.databases import copy_sqlite
from tests.forks import FORKS
from tests.service import BOTH, wait_until
from tests.shop import PRICE
from tests.stand_in import StandIn
from tests.tether import free_port
from tests.valkey import PASSWORD, Valkey

AUTH = ("operator", "flower-password-of-the-tests")
# What nobody may read there: each can be found in any text.
PROMPT = "prompt-that-only-alice-knows"
PICTURE = "https://shop.example/picture-that-only-alice-knows.jpg"
REPLICATE_TOKEN = "r8_TokenThatOnlyWorkersKnow"
SECRET_KEY = "secret-key-that-signs-everything"
PREFIX = "/tools/flower"
TABLE = (
    "/tasks/datatable?draw=1&start=0&length=100&search[value]="
    "&order[0][column]=0&columns[0][data]=name"
)
# Neither tells anything.
OPEN = {"/healthcheck", "/static/css/flower.css"}


@contextmanager
def flower(room: Darkroom) -> Iterator[httpx.Client]:
    """Start Flower as a proxy needs it that has other paths too; yield an operator's browser."""
    port = free_port()
    process = room.service.begin_flower(port, FLOWER_URL_PREFIX=PREFIX)
    url = f"http://127.0.0.1:{port}{PREFIX}"
    with httpx.Client(base_url=url, auth=AUTH, trust_env=False, timeout=20) as client:
        wait_until(lambda: process.ended or answers(client), "Flower answers")
        assert not process.ended, process.log.read_text()
        # It answers before it listens; what happens until then it never hears of.
        wait_until(lambda: client.get("/api/workers?status=1").json(), "Flower hears the worker")
        yield client


def answers(client: httpx.Client) -> bool:
    try:
        return client.get("/healthcheck").is_success
    except httpx.TransportError:
        return False


def order(room: Darkroom) -> str:
    """Have images made whose prompt and address are marked; return the shop's token.

    Several, because a worker of threads loses an event of a task now and then.
    """
    images = tuple(ImageOrder(f"marked-{n}", PICTURE, PROMPT) for n in range(5))
    with room.app.app_context():
        instance, token = accounts.create("alice", "pro")
        ledger.grant(instance.id, 100, "test:alice")
        job = lifecycle.submit(instance.id, JobOrder("cup", "The cup", images), PRICE, None).job.id
    room.waker.wake_workers(job, len(images))
    room.wait_done(len(images))
    return token


def tasks(client: httpx.Client) -> dict[str, dict[str, Any]]:
    shown: dict[str, dict[str, Any]] = client.get("/api/tasks").json()
    return shown


def seen(client: httpx.Client) -> dict[str, str]:
    """Everything there is to read, by path, once the image's whole way is there."""

    def results() -> str:
        return json.dumps([task["result"] for task in tasks(client).values()])

    wait_until(lambda: "is prediction" in results() and "is done" in results(), "both tasks there")
    # It asks its workers in the background, for a second at most.
    wait_until(lambda: "conf" in json.dumps(client.get("/api/workers?refresh=1").json()), "workers")
    worker = next(iter(client.get("/api/workers").json()))
    paths = [
        "/", "/workers", "/workers?json=1", f"/worker/{worker}", "/tasks", "/broker", "/metrics",
        TABLE, "/api/workers", "/api/tasks", "/api/task/types",
        "/api/queues/length", *(f"/task/{id}" for id in tasks(client)),
        *(f"/api/task/info/{id}" for id in tasks(client)),
    ]  # fmt: skip
    return {path: client.get(path).raise_for_status().text for path in paths}


@dataclass(frozen=True)
class Operator:
    """Somebody who looks at Flower: at `shown` by path, and again by `client`."""

    client: httpx.Client
    shown: dict[str, str]
    token_of_alice: str


@pytest.fixture(scope="module")
def operator(
    sqlite_template: Path,
    valkey_server: Valkey,
    stand_in_server: StandIn,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Operator]:
    """A worker for both queues has made an image, and the settings have something to hide."""
    folder = tmp_path_factory.mktemp("flower")
    database_url = copy_sqlite(sqlite_template, folder)
    stand_in_server.reset()
    settings = {
        "FLOWER_BASIC_AUTH": ":".join(AUTH),
        "REPLICATE_API_TOKEN": REPLICATE_TOKEN,
        "SECRET_KEY": SECRET_KEY,
    }
    with darkroom(database_url, valkey_server.url, stand_in_server, folder, **settings) as room:
        room.redis.flushall()
        room.service.begin(BOTH)
        with flower(room) as client:
            token = order(room)
            yield Operator(client, seen(client), token)
        room.check()


def where_shown(operator: Operator, *secrets: str) -> set[tuple[str, str]]:
    """The paths that show one of them, with it."""
    texts = operator.shown.items()
    return {(path, secret) for path, text in texts for secret in secrets if secret in text}


def test_no_page_shows_what_is_a_shops_own(operator: Operator) -> None:
    found = where_shown(operator, PROMPT, PICTURE, operator.token_of_alice)

    assert found == set()


def test_no_page_shows_a_secret_of_the_settings(operator: Operator) -> None:
    found = where_shown(operator, REPLICATE_TOKEN, SECRET_KEY, PASSWORD, AUTH[1])

    assert found == set()
    assert "redis://:**@" in operator.shown["/broker"]


def test_tasks_say_in_plain_words_why_they_were_sent_and_what_they_did(operator: Operator) -> None:
    rows = json.loads(operator.shown[TABLE])["data"]

    said = {f"{row['name']}: {row['args']}: {row['result']}" for row in rows}
    # The sweep may have been faster than the order's own message.
    start = "optimize-next-image: (woken by job 1|topped up): item [1-5] is prediction [a-z0-9]+"
    end = "collect-prediction: attempt [1-5], check [0-9]+: item [1-5] is done"
    assert any(re.fullmatch(start, line) for line in said), said
    assert any(re.fullmatch(end, line) for line in said), said


def test_behind_a_proxys_path_every_link_and_every_file_has_it_in_front(operator: Operator) -> None:
    pages = [text for text in operator.shown.values() if "<!doctype html>" in text]
    links = set[str]().union(*(Links(page).found for page in pages))
    own = {link for link in links if not link.startswith(("#", "https://"))}

    outside = {link for link in own if not link.startswith(f"{PREFIX}/")}
    inside = {link.removeprefix(PREFIX) for link in own}
    statuses = {link: operator.client.get(link).status_code for link in inside}

    assert outside == set()
    assert {"/tasks", "/workers", "/broker"} <= inside
    assert set(statuses.values()) == {200}, statuses


class Links(HTMLParser):
    """The addresses in a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found |= {value for name, value in attrs if name in {"href", "src"} and value}


def test_a_button_works_behind_a_proxy_that_passes_the_host_on(operator: Operator) -> None:
    revoke = "/api/task/revoke/0f0f0f0f-0000-4000-8000-000000000000"
    ours = {"Host": "shop.example", "Origin": "https://shop.example"}

    passed = operator.client.post(revoke, headers=ours)
    forged = operator.client.post(revoke, headers={**ours, "Origin": "https://evil.example"})

    assert passed.status_code == 200
    assert forged.status_code == 403


def test_everything_but_the_health_check_and_its_own_files_asks_for_the_password(
    operator: Operator,
) -> None:
    paths = [*operator.shown, *OPEN]

    def statuses(auth: tuple[str, str] | None) -> dict[str, int]:
        return {path: operator.client.get(path, auth=auth).status_code for path in paths}

    expected = {path: 200 if path in OPEN else 401 for path in paths}
    assert statuses(None) == expected
    assert statuses(("operator", "guess")) == expected


@pytest.mark.parametrize("prefix", ["flower", "/a path"])
def test_a_path_that_is_none_stops_the_start_with_one_line(prefix: str, tmp_path: Path) -> None:
    settings = {
        "PATH": os.environ["PATH"],
        "DATABASE_URL": "sqlite:////nowhere/darkroom.db",
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "SECRET_KEY": SECRET_KEY,
        "REPLICATE_API_TOKEN": REPLICATE_TOKEN,
        "SANDBOX": "true",
        "FLOWER_BASIC_AUTH": ":".join(AUTH),
        "FLOWER_URL_PREFIX": prefix,
    }

    words = ["celery", "-A", "tasks", "flower", "--port=0"]
    code, said = FORKS.complete(words, settings, tmp_path / "log")

    assert code != 0
    assert said.splitlines()[-1].startswith("darkroom: FLOWER_URL_PREFIX: must be")
