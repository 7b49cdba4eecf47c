"""A compose service's command as a process of this host."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.compose import ROOT, command
from tests.tether import free_port

READY_WITHIN = 40.0
END_PATIENCE = 20.0


class Container:
    """A service's command as a process of this host, with a port of its own on 127.0.0.1."""

    def __init__(self, service: str, environment: dict[str, str], folder: Path) -> None:
        self.port = free_port()
        self.log = folder / f"{service}.log"
        self.alive = folder / "alive"
        words = [self._here(word) for word in command(service)]
        program = Path(sys.executable).with_name(words[0])
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [program, *words[1:]], cwd=ROOT, stdout=log, stderr=subprocess.STDOUT,
                env=environment | {"HEALTH_FILE": str(self.alive)}, start_new_session=True,
            )  # fmt: skip

    def _here(self, word: str) -> str:
        word = re.sub(r"^(0\.0\.0\.0):\d+$", f"127.0.0.1:{self.port}", word)
        word = word.replace("--address=0.0.0.0", "--address=127.0.0.1")
        return re.sub(r"^--port=\d+$", f"--port={self.port}", word)

    def wait_until(self, ready: Callable[["Container"], bool], every: float = 0.1) -> None:
        """Return when it is ready; fail with its log when it ends or takes too long."""
        deadline = time.monotonic() + READY_WITHIN
        while not ready(self):
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(every)

    def end(self) -> float:
        """Send SIGTERM; return the seconds until the process was gone."""
        started = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(END_PATIENCE)
        return time.monotonic() - started


def answers(path: str) -> Callable[[Container], bool]:
    """Whether a server answers 200 there."""

    def ask(container: Container) -> bool:
        try:
            url = f"http://127.0.0.1:{container.port}{path}"
            return httpx.get(url, timeout=2, trust_env=False).status_code == 200
        except httpx.TransportError:
            return False

    return ask


def says(text: str) -> Callable[[Container], bool]:
    """Whether the log holds a text."""
    return lambda container: text in container.log.read_text()


def is_alive(container: Container) -> bool:
    """Whether a worker has made its sign of life."""
    return container.alive.exists() and says("ready.")(container)


READY = {
    "api": answers("/healthz"),
    "worker": is_alive,
    "housekeeper": is_alive,
    "beat": says("beat: Starting"),
    "flower": answers("/healthcheck"),
}


@contextmanager
def running(service: str, environment: dict[str, str], folder: Path) -> Iterator[Container]:
    """A container that is gone at the end, however the test went."""
    container = Container(service, environment, folder)
    try:
        yield container
    finally:
        if container.process.poll() is None:
            os.killpg(container.process.pid, signal.SIGKILL)
            container.process.wait()
