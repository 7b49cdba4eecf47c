"""`flask queue status --watch`, in a pipe and in a terminal."""

import os
import pty
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner

from config.forms import RateLimit
from models import lifecycle
from tasks.limiter import Limiter, limiter_redis
from tests.forks import ROOT
from tests.service import wait_until
from tests.shop import DEADLINE, open_shop, submit
from tests.valkey import Valkey

NOWHERE = "redis://127.0.0.1:1/0"
EVIL = "evil\x1b[2J\tshop\r\n"


def watch(
    command_line: FlaskCliRunner, redis_url: str, times: int = 1, **terminal: str
) -> list[str]:
    """What is printed, in lines."""
    args = ["queue", "status", "--watch", "--interval", "0.1", "--count", str(times)]
    result = command_line.invoke(args=args, env={"REDIS_URL": redis_url, **terminal})
    assert result.exit_code == 0, result.output
    return result.stdout.splitlines()


def picture(
    command_line: FlaskCliRunner, redis_url: str, columns: int = 80, rows: int = 24
) -> list[str]:
    """The lines that a terminal of that size shows, in one that knows no colours."""
    lines = watch(
        command_line,
        redis_url,
        TTY_COMPATIBLE="1",
        TERM="dumb",
        COLUMNS=str(columns),
        LINES=str(rows),
    )
    first = max(n for n, line in enumerate(lines) if line.startswith("Darkroom"))
    return [line.rstrip() for line in lines[first:]]


def test_in_a_pipe_each_look_is_a_block_of_lines(
    command_line: FlaskCliRunner, bare_app: Flask, redis_url: str
) -> None:
    with bare_app.app_context():
        submit(open_shop("alice"), images=3)
        lifecycle.claim_next(DEADLINE)

    told = watch(command_line, redis_url, times=2)

    assert [line[:5] for line in told if line.startswith("at\t")] == ["at\t20", "at\t20"]
    assert told.count("PENDING\t2") == 2
    assert told.count("instance\tdue\tslots in 10m\tshare\tlast served\truns") == 2
    # Her turn, of two images, goes on.
    assert told.count("alice\t2\t1\t100%\t-\t-") == 2
    assert told.count("last sweep: never") == 2


def test_without_watching_the_shares_are_told_too(
    command_line: FlaskCliRunner, bare_app: Flask, redis_url: str
) -> None:
    with bare_app.app_context():
        for number in range(12):
            submit(open_shop(f"shop-{number}"), images=2 if number < 10 else 1)

    told = command_line.invoke(args=["queue", "status"], env={"REDIS_URL": redis_url}).stdout

    assert "shop-0\t2\t0\t0%\t-\t-\n" in told
    assert "shop-9\t2\t0\t0%\t-\t-\nand 2 more: 2 images\n" in told


def test_without_redis_it_goes_on_with_what_the_database_knows(
    command_line: FlaskCliRunner, bare_app: Flask
) -> None:
    with bare_app.app_context():
        submit(open_shop("alice"), images=3)

    told = watch(command_line, NOWHERE)

    assert [line for line in told if line.startswith("redis\tRedis does not answer")]
    assert {"PENDING\t3", "due now: 3"} <= set(told)
    shown = picture(command_line, NOWHERE)
    assert [line for line in shown if "PENDING" in line]
    assert "Nothing is sent meanwhile." in " ".join(line[:39].strip() for line in shown)


def test_a_picture_tells_everything_in_80_columns_and_24_rows(
    command_line: FlaskCliRunner, bare_app: Flask, redis_url: str
) -> None:
    with bare_app.app_context():
        for number in range(15):
            submit(open_shop(f"{number}-" + "long-name " * 12), images=3)
        lifecycle.claim_next(DEADLINE)

    shown = picture(command_line, redis_url)

    assert max(map(len, shown)) <= 80
    assert len(shown) <= 24
    told = "\n".join(shown)
    for words in ("0 of 5 in 30s", "next slot in", "not paused", "replicate", "Workers: 0",
                  "due now 44", "last sweep never", "last served"):  # fmt: skip
        assert words in told
    assert shown[-1].startswith("and ")
    assert shown[-1].endswith(" images")


def test_a_pause_is_told_with_its_reason(
    command_line: FlaskCliRunner, redis_url: str, paused: Limiter
) -> None:
    shown = " ".join(line[:39].strip() for line in picture(command_line, redis_url))

    assert "paused for" in shown
    assert "insufficient_credit (`queue resume` ends it)" in shown


@pytest.fixture
def paused(redis_url: str) -> Limiter:
    """A limiter whom an operator has to help."""
    limiter = Limiter(limiter_redis(redis_url), RateLimit(5, 30.0), 1.0, lambda _window: [])
    limiter.pause(90, "insufficient_credit")
    return limiter


def test_names_cannot_move_the_cursor(
    command_line: FlaskCliRunner, bare_app: Flask, redis_url: str
) -> None:
    with bare_app.app_context():
        submit(open_shop(EVIL), images=1)

    told = watch(command_line, redis_url)
    shown = picture(command_line, redis_url)

    assert [line for line in told if line.startswith("evil [2J shop  \t1\t")]
    assert [line for line in shown if line.startswith("evil [2J shop ")]
    assert "\x1b[2J" not in "".join(told + shown)


@pytest.mark.parametrize("option", ["--interval=0", "--count=0", "--count=x"])
def test_odd_wishes_are_refused(command_line: FlaskCliRunner, option: str) -> None:
    result = command_line.invoke(args=["queue", "status", "--watch", option])

    assert result.exit_code == 2


@dataclass
class Terminal:
    """A process in a terminal of its own, and all that it drew."""

    process: subprocess.Popen[bytes]
    screen: int
    drawn: bytearray = field(default_factory=bytearray)

    def read(self) -> None:
        """Read until the process ends: then a Linux terminal fails."""
        while True:
            try:
                self.drawn += os.read(self.screen, 65536)
            except OSError:
                return

    def wait_for(self, text: str) -> None:
        """Wait until it draws that after everything it has drawn until now."""
        start = len(self.drawn)
        wait_until(lambda: text.encode() in self.drawn[start:], f"{text} on the screen", 60)


@contextmanager
def terminal(**environment: str) -> Iterator[Terminal]:
    """`queue status --watch` in a terminal."""
    # Who starts tests in the background may have all of its children ignore SIGINT.
    python = ["/usr/bin/env", "--default-signal=INT", sys.executable, "-m"]
    command = ["flask", "--app", "wsgi", "queue", "status", "--watch", "--interval", "0.2"]
    everything = os.environ | {"TERM": "xterm", "COLUMNS": "100", "LINES": "40"} | environment
    ours, theirs = pty.openpty()
    try:
        with subprocess.Popen(
            [*python, *command], cwd=ROOT, env=everything,
            stdin=theirs, stdout=theirs, stderr=theirs,
        ) as process:  # fmt: skip
            os.close(theirs)
            opened = Terminal(process, ours)
            reader = threading.Thread(target=opened.read)
            reader.start()
            try:
                yield opened
            finally:
                process.kill()
                process.wait(20)
                reader.join(20)
    finally:
        os.close(ours)


def test_redis_may_go_and_come_back_and_ctrl_c_ends_it_well(sqlite_database: str) -> None:
    valkey = Valkey().start()
    try:
        with terminal(DATABASE_URL=sqlite_database, REDIS_URL=valkey.url) as watching:
            watching.wait_for("next slot in")
            valkey.stop()
            watching.wait_for("does not answer")
            valkey.restart()
            watching.wait_for("next slot in")

            watching.process.send_signal(signal.SIGINT)

            assert watching.process.wait(20) == 0
    finally:
        valkey.close()
    # The cursor is seen again, and the last picture stays.
    assert watching.drawn.rindex(b"next slot in") > watching.drawn.rindex(b"\x1b[?1049l")
    assert b"\x1b[?25h" in watching.drawn
    assert b"Traceback" not in watching.drawn


def test_a_picture_for_the_documentation_loads_nothing_from_elsewhere(
    command_line: FlaskCliRunner, redis_url: str, tmp_path: Path
) -> None:
    file = tmp_path / "queue.svg"

    command_line.invoke(
        args=["queue", "status", "--picture", str(file)], env={"REDIS_URL": redis_url}
    )

    drawn = file.read_text(encoding="utf-8")
    assert drawn.startswith("<svg ")
    assert "Limiter" in drawn
    assert not re.search(r"url\(['\"]?http|href=|@font-face", drawn)
