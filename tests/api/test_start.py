"""How the API starts: under gunicorn, for `flask`, and with settings that are wrong."""

import http.client
import json
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from config.settings import Settings
from tests.api.clients import ROUTE, Shop, order
from tests.forks import FORKS
from tests.tether import free_port

GUNICORN = ["gunicorn", "wsgi:app"]
FLASK = ["flask", "--app", "wsgi", "routes"]
WORKER = ["celery", "-A", "tasks", "worker", "-Q", "replicate"]
# Nobody answers who could be asked for it.
WITHOUT_A_SECRET = {
    "PUBLIC_BASE_URL": "https://darkroom.example",
    "REPLICATE_BASE_URL": "http://127.0.0.1:1",
}


@contextmanager
def gunicorn(log: Path, **environment: str) -> Iterator[int]:
    """The port of the API under gunicorn, stopped as an orchestrator would."""
    port = free_port()
    settings = dict(os.environ) | environment | {"PORT": str(port), "WEB_CONCURRENCY": "1"}
    process = FORKS.run(GUNICORN, settings, log)
    try:
        wait_for(port, time.monotonic() + 60)
        yield port
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.wait(10)


def wait_for(port: int, deadline: float) -> None:
    while time.monotonic() < deadline:
        try:
            assert ask(port, "GET", "/healthz")[0] == 200
        except ConnectionRefusedError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("gunicorn did not start")


def ask(
    port: int,
    method: str,
    path: str,
    body: bytes | Iterator[bytes] | None = None,
    headers: dict[str, str] | None = None,
) -> tuple[int, str]:
    """Status and text of an answer; a body in pieces is sent in chunks."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request(method, path, body, headers or {})
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text


@pytest.mark.parametrize(
    ("command", "name", "settings"),
    [
        (GUNICORN, "DATABASE_URL", {"DATABASE_URL": "mysql://x"}),
        (FLASK, "REDIS_URL", {"REDIS_URL": ""}),
        (GUNICORN, "REPLICATE_WEBHOOK_SECRET", WITHOUT_A_SECRET),
        (GUNICORN, "HTTPS_PROXY", {"HTTPS_PROXY": "proxy:3128"}),
        (WORKER, "HTTPS_PROXY", {"HTTPS_PROXY": "proxy:3128"}),
    ],
    ids=["gunicorn", "flask", "webhooks", "proxy", "proxy of a worker"],
)
def test_a_wrong_setting_ends_the_start_with_one_line(
    command: list[str], name: str, settings: dict[str, str], tmp_path: Path
) -> None:
    code, said = FORKS.complete(command, dict(os.environ) | settings, tmp_path / "log")

    assert code != 0
    (line,) = said.splitlines()
    assert line.startswith(f"darkroom: {name}: ")


def test_a_port_that_is_none_ends_gunicorn_with_one_line(tmp_path: Path) -> None:
    code, said = FORKS.complete(GUNICORN, dict(os.environ) | {"PORT": "eighty"}, tmp_path / "log")

    assert code != 0
    assert said == "darkroom: PORT: must be a whole number\n"


def test_gunicorn_serves_and_bounds_bodies_in_chunks(
    settings: Settings, alice: Shop, tmp_path: Path
) -> None:
    pieces = [b" " * 1024] * 258
    headers = alice.bearer | {"Content-Type": "application/json"}

    with gunicorn(tmp_path / "log", DATABASE_URL=settings.database_url) as port:
        taken = ask(port, "POST", ROUTE, json.dumps(order()).encode(), headers)
        refused = ask(port, "POST", ROUTE, iter(pieces), headers)

    assert taken[0] == 201
    assert (refused[0], json.loads(refused[1])["code"]) == (413, "body_too_large")
    assert len(alice.jobs()) == 1
