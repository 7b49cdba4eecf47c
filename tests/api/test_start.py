"""How the API starts: under gunicorn, for `flask`, and with settings that are wrong."""

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from config.settings import Settings
from tests.api.clients import ROUTE, Shop, order
from tests.tether import free_port

FOLDER = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
STARTS = [
    [str(BIN / "gunicorn"), "wsgi:app"],
    [str(BIN / "flask"), "--app", "wsgi", "routes"],
]
WORKER = [str(BIN / "celery"), "-A", "tasks", "worker", "-Q", "replicate"]
# Nobody answers who could be asked for it.
WITHOUT_A_SECRET = {
    "PUBLIC_BASE_URL": "https://darkroom.example",
    "REPLICATE_BASE_URL": "http://127.0.0.1:1",
}


@contextmanager
def gunicorn(**environment: str) -> Iterator[int]:
    """The port of the API under gunicorn, stopped as an orchestrator would."""
    port = free_port()
    process = subprocess.Popen(
        STARTS[0],
        cwd=FOLDER,
        env=os.environ | environment | {"PORT": str(port), "WEB_CONCURRENCY": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
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
        (STARTS[0], "DATABASE_URL", {"DATABASE_URL": "mysql://x"}),
        (STARTS[1], "REDIS_URL", {"REDIS_URL": ""}),
        (STARTS[0], "REPLICATE_WEBHOOK_SECRET", WITHOUT_A_SECRET),
        (STARTS[0], "HTTPS_PROXY", {"HTTPS_PROXY": "proxy:3128"}),
        (WORKER, "HTTPS_PROXY", {"HTTPS_PROXY": "proxy:3128"}),
    ],
    ids=["gunicorn", "flask", "webhooks", "proxy", "proxy of a worker"],
)
def test_a_wrong_setting_ends_the_start_with_one_line(
    command: list[str], name: str, settings: dict[str, str]
) -> None:
    done = subprocess.run(
        command,
        cwd=FOLDER,
        env=os.environ | settings,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode != 0
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"darkroom: {name}: ")


def test_a_port_that_is_none_ends_gunicorn_with_one_line() -> None:
    done = subprocess.run(
        STARTS[0],
        cwd=FOLDER,
        env=os.environ | {"PORT": "eighty"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode != 0
    assert done.stderr == "darkroom: PORT: must be a whole number\n"


def test_gunicorn_serves_and_bounds_bodies_in_chunks(settings: Settings, alice: Shop) -> None:
    pieces = [b" " * 1024] * 258
    headers = alice.bearer | {"Content-Type": "application/json"}

    with gunicorn(DATABASE_URL=settings.database_url) as port:
        taken = ask(port, "POST", ROUTE, json.dumps(order()).encode(), headers)
        refused = ask(port, "POST", ROUTE, iter(pieces), headers)

    assert taken[0] == 201
    assert (refused[0], json.loads(refused[1])["code"]) == (413, "body_too_large")
    assert len(alice.jobs()) == 1
