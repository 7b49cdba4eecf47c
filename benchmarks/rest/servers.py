"""gunicorn with our API and gunicorn with the bare views, on the same database and broker."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

import psutil

from tests.tether import end, free_port, tethered

ROOT = Path(__file__).parents[2]
OURS = ("wsgi:app",)
BARE = ("benchmarks.rest.bare:app", "--config", "benchmarks/rest/bare_gunicorn.py")
PATIENCE = 30.0


@dataclass(frozen=True)
class Server:
    """A server and the processes that it has started."""

    port: int
    process: psutil.Process

    def cpu(self) -> float:
        """The processor seconds that it has used so far."""
        return cpu_of(self.process)


def cpu_of(process: psutil.Process) -> float:
    """The processor seconds of a process and of all that it has started, also of those that have
    ended."""
    own = process.cpu_times()
    living = (each.cpu_times() for each in process.children(recursive=True))
    used = own.user + own.system + own.children_user + own.children_system
    return float(used + sum(each.user + each.system for each in living))


@contextmanager
def served(words: tuple[str, ...], settings: Mapping[str, str], log: Path) -> Iterator[Server]:
    """Run gunicorn as production does, until the end of the block."""
    port = free_port()
    # `env` hands the settings over without changing our own environment.
    given = [f"{name}={value}" for name, value in settings.items()]
    gunicorn = [sys.executable, "-m", "gunicorn", *words, "--bind", f"127.0.0.1:{port}"]
    command = ["/usr/bin/env", "-C", str(ROOT), *given, *gunicorn]
    popen = tethered(command, log, os.geteuid(), os.getegid(), signal.SIGKILL)
    with ExitStack() as ending:
        ending.callback(end, popen, signal.SIGTERM)
        _wait(port, popen, log)
        yield Server(port, psutil.Process(popen.pid))


def _wait(port: int, popen: "subprocess.Popen[bytes]", log: Path) -> None:
    """Until it answers: anything."""
    deadline = time.monotonic() + PATIENCE
    while not _answers(port):
        if popen.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"gunicorn did not start:\n{log.read_text()}")
        time.sleep(0.05)


def _answers(port: int) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.request("GET", "/healthz")
        connection.getresponse().read()
    except OSError:
        return False
    finally:
        connection.close()
    return True
