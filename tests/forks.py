"""Python programs whose libraries are imported already: each is forked off one process that has.

A worker spends nine tenths of its start on importing what other people wrote. `Forks` keeps one
process that did so once, has no threads, and of our own code has read what reads no settings; what
it forks runs `python -m MODULE` from there on: another process, with its own settings, log and end.
When the test's process dies, so do all of them.

    requests, one JSON object a line:   {"run": […], "environment": {…}, "log": "…"} → {"pid": 7}
                                        {"poll": 7} → {"code": null}, once it has ended its code
"""

import atexit
import ctypes
import gc
import importlib
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
IMPORTED = (
    "alembic.command",
    "api",
    "celery.apps.beat",
    "celery.apps.worker",
    "celery.bin.beat",
    "celery.bin.celery",
    "celery.bin.worker",
    "celery.concurrency.thread",
    "environs",
    "flask_cors",
    "flask_limiter",
    "flask_migrate",
    "flask_smorest",
    "flask_sqlalchemy",
    "flask_swagger_ui",
    "gunicorn.app.wsgiapp",
    "httpx",
    "kombu.transport.redis",
    "obstore.store",
    "PIL.Image",
    "prometheus_client",
    "psycopg",
    "replicate.client",
    "sentry_sdk",
    "sqlalchemy.dialects.postgresql",
    "sqlalchemy.dialects.sqlite",
    "structlog",
)
DIES_WITH_PARENT = 1  # PR_SET_PDEATHSIG
POLL = 0.02


class Fork:
    """A process of `Forks`, with what is used of a `subprocess.Popen`."""

    def __init__(self, pid: int, ask: Callable[..., Any]) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._ask = ask

    def poll(self) -> int | None:
        """Return its exit code, that of the signal below zero; None while it runs."""
        if self.returncode is None:
            self.returncode = self._ask(poll=self.pid)["code"]
        return self.returncode

    def wait(self, timeout: float) -> int:
        """Return its exit code when it has ended; raises `subprocess.TimeoutExpired`."""
        deadline = time.monotonic() + timeout
        while (code := self.poll()) is None:
            if time.monotonic() > deadline:
                raise subprocess.TimeoutExpired(f"process {self.pid}", timeout)
            time.sleep(POLL)
        return code

    def send_signal(self, signal: signal.Signals) -> None:
        """Send it a signal, unless it has ended: its number could be another's by then."""
        if self.poll() is None:
            os.kill(self.pid, signal)

    def terminate(self) -> None:
        """SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL."""
        self.send_signal(signal.SIGKILL)


class Forks:
    """The process that everything is forked from; started with the first program."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._line: Any = None

    def run(self, words: list[str], environment: dict[str, str], log: Path) -> Fork:
        """Start `python -m` with these words in the project's folder; both outputs go to `log`."""
        log.touch()  # Others read it at once.
        answer = self._ask(run=words, environment=environment, log=str(log))
        return Fork(answer["pid"], self._ask)

    def complete(
        self, words: list[str], environment: dict[str, str], log: Path, patience: float = 60.0
    ) -> tuple[int, str]:
        """Run a program to its end; return its exit code and what it said."""
        code = self.run(words, environment, log).wait(patience)
        return code, log.read_text(errors="replace")

    def _ask(self, **request: object) -> Any:
        with self._lock:
            if self._line is None:
                self._line = self._start()
            self._line.write(json.dumps(request) + "\n")
            self._line.flush()
            return json.loads(self._line.readline())

    def _start(self) -> Any:
        ours, its = socket.socketpair()
        command = [sys.executable, "-m", "tests.forks", str(its.fileno())]
        process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.DEVNULL, pass_fds=[its.fileno()]
        )
        its.close()
        line = ours.makefile("rw")
        ours.close()

        @atexit.register
        def end() -> None:
            line.close()
            process.wait()

        return line


FORKS = Forks()


def _serve(line: Any) -> dict[str, Any]:
    """Answer until the test's process is gone; in a process that was forked, return what to run."""
    while text := line.readline():
        request: dict[str, Any] = json.loads(text)
        if "poll" in request:
            answer: dict[str, object] = {"code": _code(request["poll"])}
        else:
            parent = os.getpid()
            pid = os.fork()
            if pid == 0:
                return request | {"parent": parent}
            answer = {"pid": pid}
        line.write(json.dumps(answer) + "\n")
        line.flush()
    raise SystemExit


def _code(pid: int) -> int | None:
    ended, status = os.waitpid(pid, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if ended else None


def _become(request: dict[str, Any], line: socket.socket) -> None:
    """Make the fork what `python -m` would have made of a new process."""
    ctypes.CDLL(None).prctl(DIES_WITH_PARENT, int(signal.SIGKILL), 0, 0, 0)
    if os.getppid() != request["parent"]:
        sys.exit("the parent died before the child was tied to it")
    signal.signal(signal.SIGINT, signal.default_int_handler)
    line.close()
    output = os.open(request["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.close(output)
    os.environ.clear()
    os.environ.update(request["environment"])
    sys.argv = request["run"]


if __name__ == "__main__":
    for _module in IMPORTED:
        importlib.import_module(_module)
    # Ctrl-C ends the tests, and they end what they have started.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.freeze()
    _socket = socket.socket(fileno=int(sys.argv[1]))
    _request = _serve(_socket.makefile("rw"))
    _become(_request, _socket)
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
