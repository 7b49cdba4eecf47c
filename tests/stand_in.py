"""The stand-in for Replicate as a real process on a free port of 127.0.0.1."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from tests.tether import end, free_port, tethered

ROOT = Path(__file__).parent.parent


class StandIn:
    """One stand-in; `url` stays the same over `stop` and `start`, its memory does not.

    As a context manager it starts and stops. `options` are further words of its command line.
    """

    def __init__(self, *options: str, **knobs: Any) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="stand-in-"))
        self.port = free_port()
        self.options = options
        self.first_knobs = knobs
        self.process: subprocess.Popen[bytes] | None = None
        self._http = httpx.Client(base_url=self.url, timeout=10, trust_env=False)

    @property
    def url(self) -> str:
        """The root URL, for `REPLICATE_BASE_URL`."""
        return f"http://127.0.0.1:{self.port}"

    def start(self, *, patience: float = 15.0) -> "StandIn":
        """Start the process and return once it listens.

        Raises `RuntimeError` with its log after `patience` seconds.
        """
        log = self.folder / "log"
        log.write_bytes(b"")
        self.process = tethered(self._command(), log, os.geteuid(), os.getegid(), signal.SIGKILL)
        deadline = time.monotonic() + patience
        while b"listening on" not in log.read_bytes():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the stand-in did not start:\n{log.read_text()}")
            time.sleep(0.01)
        return self

    def stop(self) -> int | None:
        """Stop in good order and return the exit status; None where it did not run."""
        if self.process is None:
            return None
        end(self.process, signal.SIGTERM)
        status, self.process = self.process.returncode, None
        return status

    def close(self) -> None:
        """Stop and remove what was written."""
        self.stop()
        self._http.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> "StandIn":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()

    def knobs(self, **changes: Any) -> dict[str, Any]:
        """Turn these knobs and return all; raises `httpx.HTTPStatusError` where one is refused."""
        answer = self._http.put("/_control/knobs", json=changes).raise_for_status()
        shown: dict[str, Any] = answer.json()
        return shown

    def reset(self) -> None:
        """Forget everything; the knobs are again as at the start."""
        self._http.post("/_control/reset").raise_for_status()

    def creates(self) -> list[dict[str, Any]]:
        """Return the accepted creates: `{time, id, input}`, `time` as `time.monotonic()`."""
        return self._listed("creates")

    def requests(self, since: int = 0) -> list[dict[str, Any]]:
        """Return the requests from that number on, oldest first, without those to `/_control`.

        Each: `{number, method, path, time, wall, authorization, body, status, prediction, fault}`.
        """
        return self._listed("requests", since=since)

    def predictions(self) -> list[dict[str, Any]]:
        """Return every prediction as Replicate's list shows it, newest first, with its input also
        where that has been deleted. What was to go wrong there goes wrong no more."""
        self.knobs(faults=[], refuse=None)
        inputs = {each["id"]: each["input"] for each in self.creates()}
        rows: list[dict[str, Any]] = []
        page: str | None = "/v1/predictions"
        while page:
            answer = self._http.get(page, headers={"Authorization": "Bearer r8_test"})
            document = answer.raise_for_status().json()
            rows += document["results"]
            page = document["next"]
        return [{**row, "input": inputs[row["id"]]} for row in rows]

    def wait_for(
        self, seen: Callable[["StandIn"], bool], what: str, patience: float = 10.0
    ) -> None:
        """Return once `seen`; fails the test after `patience` seconds."""
        deadline = time.monotonic() + patience
        while not seen(self):
            assert time.monotonic() < deadline, f"not seen within {patience} s: {what}"
            time.sleep(0.01)

    def _listed(self, name: str, **query: int) -> list[dict[str, Any]]:
        answer = self._http.get(f"/_control/{name}", params=query).raise_for_status()
        rows: list[dict[str, Any]] = answer.json()[name]
        return rows

    def _command(self) -> list[str]:
        # `-c` instead of `-m`: the process starts in another folder, where nothing is found.
        code = (
            f"import runpy, sys; sys.path.insert(0, {str(ROOT)!r}); "
            "runpy.run_module('sandbox.replicate', run_name='__main__', alter_sys=True)"
        )
        knobs = ["--knobs", json.dumps(self.first_knobs)]
        return [sys.executable, "-c", code, "--port", str(self.port), *knobs, *self.options]
