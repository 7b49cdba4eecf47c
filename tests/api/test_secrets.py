"""A token is known by its hash only: it is in no row, no message and no log; Flower has a lock."""

import base64
import json
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
import redis

from config.settings import Settings
from models import accounts
from tests.api.clients import JOBS, image, open_shop, order
from tests.api.conftest import serving
from tests.forks import FORKS, ROOT

PRODUCTION = {
    "DATABASE_URL": "sqlite:////nowhere/darkroom.db",
    "REDIS_URL": "redis://127.0.0.1:1/0",
    "SECRET_KEY": "secret-of-the-tests",
    "REPLICATE_API_TOKEN": "r8_test",
    "METRICS_TOKEN": "metrics-token",
}


def test_a_token_is_nowhere_in_the_database(settings: Settings) -> None:
    with serving(settings) as app:
        alice = open_shop(app, "alice")
        alice.post(order(), {"Idempotency-Key": "key"})
        with app.app_context():
            new = accounts.rotate_token("alice")

        with closing(sqlite3.connect(settings.database_url.removeprefix("sqlite:///"))) as rows:
            dump = "\n".join(rows.iterdump())

    assert alice.token not in dump
    assert new not in dump
    assert accounts.hash_token(new) in dump


def test_what_goes_through_redis_holds_no_token_no_prompt_and_no_url(
    settings: Settings, redis_url: str
) -> None:
    with (
        serving(replace(settings, redis_url=redis_url)) as app,
        redis.Redis.from_url(redis_url) as client,
    ):
        alice = open_shop(app, "alice")
        alice.post(order(images=[image(0, prompt="prompt-of-alice")]))
        alice.get(JOBS)

        messages = [read(message) for message in client.lrange("replicate", 0, -1)]
        names = b" ".join(client.scan_iter()).decode()

    assert "optimize-next-image" in messages[0]
    assert "job" in messages[0]
    for secret in (alice.token, "prompt-of-alice", "shop.example", settings.secret_key):
        assert secret not in names + "".join(messages)


def read(message: bytes) -> str:
    """A message of Celery's as Flower shows it: its body is base64."""
    envelope = json.loads(message)
    return f"{envelope} {base64.b64decode(envelope['body']).decode()}"


@pytest.fixture
def start(tmp_path: Path) -> Callable[..., tuple[int, str]]:
    """Run a process with these settings only to its end; its exit code and what it said."""

    def run(*words: str, **settings: str) -> tuple[int, str]:
        environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **settings}
        return FORKS.complete(list(words), environment, tmp_path / "log")

    return run


@pytest.mark.parametrize("missing", ["SECRET_KEY", "METRICS_TOKEN", "REPLICATE_API_TOKEN"])
def test_no_secret_has_a_default_in_production(
    start: Callable[..., tuple[int, str]], missing: str
) -> None:
    settings = {name: value for name, value in PRODUCTION.items() if name != missing}

    code, said = start("flask", "--app", "wsgi", "routes", **settings)

    assert code != 0
    assert missing in said
    assert "Traceback" not in said


@pytest.mark.parametrize("given", [{}, {"FLOWER_BASIC_AUTH": ""}])
def test_flower_does_not_start_without_a_password(
    start: Callable[..., tuple[int, str]], given: dict[str, str]
) -> None:
    code, said = start("celery", "-A", "tasks", "flower", "--port=0", **PRODUCTION, **given)

    assert code != 0
    assert "FLOWER_BASIC_AUTH" in said
