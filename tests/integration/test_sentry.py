"""What Sentry is told of errors in real processes, and what it is not."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text

from models import accounts
from models.database import db
from tests.api.clients import ROUTE, image, order
from tests.darkroom import Darkroom, darkroom
from tests.forks import ROOT
from tests.scripted_server import silence
from tests.sentry import Sentry, sentry
from tests.service import wait_until
from tests.stand_in import StandIn
from tests.tether import free_port
from tests.valkey import PASSWORD

PROMPT = "a-prompt-that-nobody-else-may-read"
ADDRESS = "https://shop.example/secret-photograph.jpg?signature=abcdef"


@pytest.fixture
def listener() -> Iterator[Sentry]:
    with sentry() as running:
        yield running


@pytest.fixture
def room(
    postgres_to_break: str, redis_url: str, stand_in: StandIn, tmp_path: Path, listener: Sentry
) -> Iterator[Darkroom]:
    dsn = {"SENTRY_DSN": listener.dsn, "SENTRY_RELEASE": "darkroom@4711"}
    with darkroom(postgres_to_break, redis_url, stand_in, tmp_path, **dsn) as built:
        yield built


def take_away(room: Darkroom, table: str) -> None:
    """An error that no code expects."""
    with room.app.app_context(), db.engine.begin() as connection:
        connection.execute(text(f"ALTER TABLE {table} RENAME TO {table}_elsewhere"))


def post(port: int, token: str) -> httpx.Response:
    return httpx.post(
        f"http://127.0.0.1:{port}{ROUTE}",
        json=order(0, images=[image(0, imageUrl=ADDRESS, prompt=PROMPT)]),
        headers={"Authorization": f"Bearer {token}", "X-Request-Id": "request-4711"},
        timeout=10,
        trust_env=False,
    )


def by_transaction(listener: Sentry) -> dict[str, dict[str, object]]:
    return {str(event.get("transaction")): event for event in listener.events()}


def test_errors_of_a_view_and_of_a_task_arrive_without_what_a_shop_wrote(
    room: Darkroom, listener: Sentry
) -> None:
    with room.app.app_context():
        alice, token = accounts.create("alice", "pro")
    take_away(room, "credit_entries")
    take_away(room, "heartbeats")
    port = free_port()
    room.service.api(port)

    assert post(port, token).status_code == 500
    room.service.worker("housekeeping")

    wait_until(lambda: {ROUTE, "sweep"} <= set(by_transaction(listener)), "both errors arrive")
    told = by_transaction(listener)
    for event in told.values():
        assert (event["environment"], event["release"]) == ("sandbox", "darkroom@4711")
        kinds = [each["type"] for each in event["exception"]["values"]]  # type: ignore[index]
        assert kinds == ["UndefinedTable", "ProgrammingError"]
    tags = told[ROUTE]["tags"]
    assert tags == {"request": "request-4711", "instance": str(alice.id)}
    everything = "\n".join(listener.envelopes())
    for secret in (token, PROMPT, ADDRESS, "shop.example", PASSWORD, "r8_test", "of-the-tests"):
        assert secret not in everything


def test_a_sentry_that_never_answers_delays_neither_requests_nor_the_stop(
    room: Darkroom, listener: Sentry
) -> None:
    listener.server.play(silence(listener.server))
    with room.app.app_context():
        _alice, token = accounts.create("alice", "pro")
    take_away(room, "credit_entries")
    port = free_port()
    api = room.service.api(port)
    post(port, token)

    began = time.monotonic()
    answers = [post(port, token).status_code for _ in range(5)]
    asked = time.monotonic()
    api.stop()

    assert answers == [500] * 5
    assert asked - began < 8
    assert time.monotonic() - asked < 9
    assert not api.said("pending events")


LINES = """
import logging, structlog
from config.logs import configure_logging
from config.sentry import start_sentry
from config.settings import Settings
settings = Settings.from_environment()
configure_logging("INFO", settings)
start_sentry(settings)
structlog.contextvars.bind_contextvars(job=7, token="dk_very-secret")
structlog.get_logger("tasks.optimize").critical(
    "Replicate refuses the account", reason="unauthenticated", detail="for https://shop.example/1")
logging.getLogger("kombu").error("Cannot connect to %s", "redis://:a-password@host")
structlog.get_logger("tasks.optimize").warning("a warning is no error")
try:
    raise ValueError("quotes a prompt")
except ValueError:
    structlog.get_logger("tasks.collect").exception("not understood", item=3)
"""


def run_python(program: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=os.environ | settings,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )


def test_a_log_lines_words_are_the_title_and_only_ids_go_with_it(listener: Sentry) -> None:
    run_python(LINES, SENTRY_DSN=listener.dsn)

    told = {event["logentry"]["message"]: event for event in listener.events()}
    assert set(told) == {
        "Replicate refuses the account",
        "Cannot connect to %s",
        "not understood",
    }
    refused = told["Replicate refuses the account"]
    assert (refused["level"], refused["logger"]) == ("fatal", "tasks.optimize")
    assert refused["tags"] == {"job": "7", "reason": "unauthenticated"}
    assert told["not understood"]["tags"] == {"job": "7", "item": "3"}
    everything = "\n".join(listener.envelopes())
    for text_ in ("shop.example", "a-password", "very-secret", "quotes a prompt"):
        assert text_ not in everything


def test_without_a_dsn_nothing_of_it_is_even_imported() -> None:
    program = "import sys, wsgi; print([name for name in sys.modules if 'sentry' in name])"

    told = run_python(program, SENTRY_DSN="").stdout

    assert told.strip() == "['config.sentry']"
