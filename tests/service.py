"""Darkroom's own processes, started for a test as an operator starts them."""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from subprocess import Popen

import httpx

from tests.tether import end, tethered

ROOT = Path(__file__).parent.parent
# What somebody may wait for in a test before it counts as broken; nothing is timed with it.
PATIENCE = 60.0
CELERY = ("celery", "-A", "tasks")


def wait_until(true: Callable[[], object], what: str, patience: float = PATIENCE) -> None:
    """Return when `true()` is; fail with `what` when it is not within `patience` seconds."""
    deadline = time.monotonic() + patience
    while not true():
        assert time.monotonic() < deadline, f"not within {patience:g} s: {what}"
        time.sleep(0.05)


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=5, trust_env=False).is_success
    except httpx.TransportError:
        return False


class Process:
    """One process and its log."""

    def __init__(self, name: str, command: list[str], log: Path) -> None:
        self.name = name
        self.log = log
        user = os.geteuid(), os.getegid()
        self.popen: Popen[bytes] = tethered(command, log, *user, signal.SIGKILL)

    def said(self, text: str) -> bool:
        """Whether its log holds `text`."""
        return text in self.log.read_text(errors="replace")

    def times_said(self, text: str) -> int:
        """How often its log holds `text`."""
        return self.log.read_text(errors="replace").count(text)

    def stop(self, patience: float = 15.0) -> int | None:
        """SIGTERM, as an orchestrator does; return the exit code."""
        end(self.popen, signal.SIGTERM, patience)
        return self.popen.returncode

    def kill(self) -> None:
        """SIGKILL."""
        end(self.popen, signal.SIGKILL)


class Service:
    """Processes that share settings; all are ended with `close`."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.folder = folder
        self.environment = environment
        self.processes: list[Process] = []
        self._numbers = count(1)

    def start(self, workers: int = 1, concurrency: int = 10) -> list[Process]:
        """Start so many workers, a housekeeper and the scheduler, and wait until all are ready."""
        started = [self._begin("replicate", concurrency) for _ in range(workers)]
        started.append(self._begin("housekeeping", concurrency))
        beat = self._run("beat", *CELERY, "beat")
        for process in started:
            self._await(process)
        return [*started, beat]

    def worker(self, queue: str = "replicate", concurrency: int = 10) -> Process:
        """Start one worker (or, on the other queue, a housekeeper) and wait until it is ready."""
        process = self._begin(queue, concurrency)
        self._await(process)
        return process

    def api(self, port: int) -> Process:
        """Start the API on that port of 127.0.0.1 and wait until it answers."""
        gunicorn = ["gunicorn", "wsgi:app", "--bind", f"127.0.0.1:{port}", "--workers", "1"]
        process = self._run(f"api{next(self._numbers)}", *gunicorn)
        health = f"http://127.0.0.1:{port}/healthz"
        wait_until(lambda: _answers(health) or self._died(process), f"{process.name} answers")
        return process

    def close(self) -> None:
        """End every process that still runs."""
        for process in self.processes:
            if process.popen.poll() is None:
                process.kill()

    def _begin(self, queue: str, concurrency: int) -> Process:
        name = f"{queue}{next(self._numbers)}"
        # Each worker would wait a second to greet the others.
        quick = ["--without-mingle", "--without-gossip"]
        return self._run(
            name,
            *CELERY,
            *("worker", "-Q", queue, "-n", f"{name}@%h", "-c", str(concurrency), *quick),
        )

    def _await(self, process: Process) -> None:
        wait_until(lambda: process.said("ready.") or self._died(process), f"{process.name} ready")

    def _run(self, name: str, *words: str) -> Process:
        # `env` hands the settings over without changing the environment of the tests.
        settings = [f"{key}={value}" for key, value in self.environment.items()]
        command = ["/usr/bin/env", "-C", str(ROOT), *settings, sys.executable, "-m", *words]
        process = Process(name, command, self.folder / f"{name}.log")
        self.processes.append(process)
        return process

    def _died(self, process: Process) -> bool:
        if process.popen.poll() is None:
            return False
        raise AssertionError(f"{process.name} died:\n{process.log.read_text(errors='replace')}")


@contextmanager
def service(folder: Path, **environment: str) -> Iterator[Service]:
    """A service with these settings, which leaves no process behind."""
    folder.mkdir(exist_ok=True)
    running = Service(folder, environment)
    try:
        yield running
    finally:
        running.close()
