"""Darkroom's own processes, started for a test as an operator starts them."""

import os
import re
import signal
import ssl
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from subprocess import Popen
from typing import Any

import httpx

from tests.forks import FORKS, ROOT, Fork
from tests.tether import end, tethered

# What somebody may wait for in a test before it counts as broken; nothing is timed with it.
PATIENCE = 60.0
CLOCK_OFF = "tests.clock_off"
CELERY = ("celery", "-A", "tasks")
# To read all authorities that may be trusted takes 20 ms, for each question over plain HTTP, too.
UNTRUSTING = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
# One process for all of a worker's and a housekeeper's work.
BOTH = "replicate,housekeeping"
# A line of somebody's log that an operator would have to look at.
COMPLAINT = re.compile(
    r'"level": "(error|critical)"|"exception":|Traceback|\[(ERROR|CRITICAL)\]|^\[E \d'
)


def wait_until(
    true: Callable[[], object], what: str, patience: float = PATIENCE, every: float = 0.05
) -> None:
    """Return when `true()` is; fail with `what` when it is not within `patience` seconds."""
    deadline = time.monotonic() + patience
    while not true():
        assert time.monotonic() < deadline, f"not within {patience:g} s: {what}"
        time.sleep(every)


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=5, trust_env=False, verify=UNTRUSTING).is_success
    except httpx.TransportError:
        return False


class Process:
    """One process and its log."""

    def __init__(self, name: str, popen: "Popen[bytes] | Fork", log: Path) -> None:
        self.name = name
        self.log = log
        self.popen = popen

    def said(self, text: str) -> bool:
        """Whether its log holds `text`."""
        return text in self.log.read_text(errors="replace")

    def times_said(self, text: str) -> int:
        """How often its log holds `text`."""
        return self.log.read_text(errors="replace").count(text)

    def complaints(self, *expected: str) -> list[str]:
        """The lines of errors and tracebacks in its log that hold none of the `expected` texts."""
        lines = self.log.read_text(errors="replace").splitlines()
        bad = [line for line in lines if COMPLAINT.search(line)]
        return [line for line in bad if not any(text in line for text in expected)]

    @property
    def ended(self) -> bool:
        """Whether it runs no more."""
        return self.popen.poll() is not None

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
        started = [self.begin("replicate", concurrency) for _ in range(workers)]
        started.append(self.begin("housekeeping", concurrency))
        beat = self.beat()
        for process in started:
            self.ready(process)
        return [*started, beat]

    def worker(self, queue: str = "replicate", concurrency: int = 10, **odd: Any) -> Process:
        """Start one worker (or, on the other queue, a housekeeper) and wait until it is ready.

        What may be `odd` about it: see `begin`.
        """
        process = self.begin(queue, concurrency, **odd)
        self.ready(process)
        return process

    def beat(self) -> Process:
        """Start the scheduler."""
        return self._run(f"beat{next(self._numbers)}", *CELERY, "beat")

    def begin_flower(self, port: int, **also: str) -> Process:
        """Start Flower on that port of 127.0.0.1, with further settings, without waiting."""
        where = ["--address=127.0.0.1", f"--port={port}"]
        return self._run(f"flower{next(self._numbers)}", *CELERY, "flower", *where, also=also)

    def flower(self, port: int) -> Process:
        """Start Flower on that port of 127.0.0.1 and wait until it answers."""
        process = self.begin_flower(port)
        health = f"http://127.0.0.1:{port}/healthcheck"
        wait_until(lambda: _answers(health) or self._died(process), f"{process.name} answers")
        return process

    def complaints(self, *expected: str) -> dict[str, list[str]]:
        """The processes whose logs hold errors, with those lines; see `Process.complaints`."""
        found = {process.name: process.complaints(*expected) for process in self.processes}
        return {name: lines for name, lines in found.items() if lines}

    def api(self, port: int, clock: float = 0.0) -> Process:
        """Start the API on that port of 127.0.0.1 and wait until it answers."""
        process = self.begin_api(port, clock)
        health = f"http://127.0.0.1:{port}/healthz"
        wait_until(lambda: _answers(health) or self._died(process), f"{process.name} answers")
        return process

    def begin_api(self, port: int, clock: float = 0.0) -> Process:
        """Start it without waiting; its wall clock is `clock` seconds ahead."""
        gunicorn = ["gunicorn", "wsgi:app", "--bind", f"127.0.0.1:{port}", "--workers", "1"]
        return self._run(f"api{next(self._numbers)}", *_off(clock), *gunicorn)

    def close(self) -> None:
        """End every process that still runs."""
        for process in self.processes:
            if not process.ended:
                process.kill()

    def begin(
        self,
        queue: str = "replicate",
        concurrency: int = 10,
        *,
        failpoint: str = "",
        how: signal.Signals = signal.SIGKILL,
        clock: float = 0.0,
        include: str = "",
    ) -> Process:
        """Start a worker as `worker` does, without waiting for it.

        At the `failpoint` (tests/failpoints.py) it sends itself the signal `how`, once. Its wall
        clock is `clock` seconds ahead. It loads the module `include` with its tasks.
        """
        name = f"{queue.replace(',', '-')}{next(self._numbers)}"
        # Each worker would wait a second to greet the others.
        quick = ["--without-mingle", "--without-gossip"]
        words = ["worker", "-Q", queue, "-n", f"{name}@%h", "-c", str(concurrency), *quick]
        where: dict[str, str] = {}
        if include:
            words += ["--include", include]
        if failpoint:
            words += ["--include", "tests.failpoints"]
            where["FAILPOINT"] = failpoint
            where["FAILPOINT_SIGNAL"] = how.name
            where["FAILPOINT_MARKER"] = str(self.marker(failpoint))
        return self._run(name, *_off(clock), *CELERY, *words, also=where)

    def marker(self, failpoint: str) -> Path:
        """The file that is there once a process has come to this failpoint."""
        return self.folder / f"reached {failpoint}"

    def ready(self, process: Process) -> None:
        """Wait until a worker takes messages."""
        wait_until(lambda: process.said("ready.") or self._died(process), f"{process.name} ready")

    def _run(self, name: str, *words: str, also: Mapping[str, str] | None = None) -> Process:
        everything = self.environment | dict(also or {})
        log = self.folder / f"{name}.log"
        start = _start_anew if words[0] == CLOCK_OFF else FORKS.run
        process = Process(name, start(list(words), dict(os.environ) | everything, log), log)
        self.processes.append(process)
        return process

    def _died(self, process: Process) -> bool:
        if process.popen.poll() is None:
            return False
        raise AssertionError(f"{process.name} died:\n{process.log.read_text(errors='replace')}")


def _start_anew(words: list[str], environment: dict[str, str], log: Path) -> "Popen[bytes]":
    """Without libraries that have read the right clock before it is off."""
    # `env` hands the settings over without changing the environment of the tests.
    settings = [f"{key}={value}" for key, value in environment.items()]
    command = ["/usr/bin/env", "-C", str(ROOT), *settings, sys.executable, "-m", *words]
    return tethered(command, log, os.geteuid(), os.getegid(), signal.SIGKILL)


def _off(clock: float) -> list[str]:
    return [CLOCK_OFF, str(clock)] if clock else []


@contextmanager
def service(folder: Path, **environment: str) -> Iterator[Service]:
    """A service with these settings, which leaves no process behind."""
    folder.mkdir(exist_ok=True)
    running = Service(folder, environment)
    try:
        yield running
    finally:
        running.close()
