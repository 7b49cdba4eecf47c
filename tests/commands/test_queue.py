"""`flask queue …`, with a real worker."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
import redis
from flask import Flask
from flask.testing import FlaskCliRunner

from config.forms import RateLimit
from models import following
from tasks.limiter import Limiter, limiter_redis
from tasks.wake import Waker
from tests.shop import open_shop, submit
from tests.valkey import Valkey


@pytest.fixture
def limiter(redis_url: str) -> Limiter:
    """The limiter of the default settings."""
    limit = RateLimit(5, 30.0)
    return Limiter(limiter_redis(redis_url), limit, 1.0, following.recent_sends)


@pytest.fixture
def worker(redis_url: str) -> Iterator[str]:
    """The node name of a housekeeper that runs, with a database that it never uses."""
    command = "celery -A tasks worker -Q housekeeping -n housekeeper@test --loglevel warning"
    environment = os.environ | {"REDIS_URL": redis_url}
    with subprocess.Popen([sys.executable, "-m", *command.split()], env=environment) as process:
        yield "housekeeper@test"
        process.send_signal(signal.SIGTERM)
        process.wait(20)


def test_status_tells_what_waits(
    command_line: FlaskCliRunner, bare_app: Flask, redis_url: str
) -> None:
    with bare_app.app_context():
        submit(open_shop("alice"), images=3)
    Waker(redis_url).wake_workers(1, 3)

    result = command_line.invoke(args=["queue", "status"], env={"REDIS_URL": redis_url})

    assert result.exit_code == 0
    told = result.stdout.splitlines()
    assert told[:3] == ["queue\tready\tunacked", "replicate\t3\t0", "housekeeping\t0\t0"]
    assert {"limit\t5 in 30s, 1s apart", "PENDING\t3", "DONE\t0", "due now: 3"} <= set(told)
    assert told[-1] == "not paused"


def test_status_gives_the_reason_of_a_pause_and_resume_ends_it(
    command_line: FlaskCliRunner, limiter: Limiter, redis_url: str
) -> None:
    limiter.pause(90, "Insufficient credit")

    paused = command_line.invoke(args=["queue", "status"], env={"REDIS_URL": redis_url})
    command_line.invoke(args=["queue", "resume"], env={"REDIS_URL": redis_url})

    assert "m 30s more: Insufficient credit" in paused.stdout.replace("m 29s", "m 30s")
    assert limiter.state().paused_for == 0


def test_status_lists_the_workers_that_answer(
    command_line: FlaskCliRunner, worker: str, redis_url: str
) -> None:
    deadline = time.monotonic() + 30
    row = f"{worker}\thousekeeping"

    told: list[str] = []
    while row not in told and time.monotonic() < deadline:
        result = command_line.invoke(args=["queue", "status"], env={"REDIS_URL": redis_url})
        told = result.stdout.splitlines()

    assert row in told


def test_without_redis_it_says_which_setting_to_look_at(command_line: FlaskCliRunner) -> None:
    nowhere = {"REDIS_URL": "redis://127.0.0.1:1/0"}

    result = command_line.invoke(args=["queue", "status"], env=nowhere)

    assert result.exit_code == 1
    assert "check REDIS_URL" in result.stderr
    assert len(result.stderr.splitlines()) == 1
    with pytest.raises(redis.ConnectionError):
        redis.Redis.from_url(nowhere["REDIS_URL"]).ping()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_redis_that_came_back_is_asked_at_once(
    command_line: FlaskCliRunner, redis_url: str, valkey_server: Valkey
) -> None:
    args = ["queue", "status"]
    first = command_line.invoke(args=args, env={"REDIS_URL": redis_url})
    valkey_server.kill()
    valkey_server.start(empty=True)

    again = command_line.invoke(args=args, env={"REDIS_URL": redis_url})

    assert (first.exit_code, again.exit_code) == (0, 0), again.output
