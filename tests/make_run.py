"""`make run` as a person starts it, in a folder of its own."""

import os
import queue
import re
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx

from tests.tether import free_port

ROOT = Path(__file__).parent.parent


class MakeRun:
    """`python -m sandbox` with `var/` in `folder`; what it prints is not a terminal's.

    Another `command` that comes to the same, or another `root` of the project, is to be set before
    the start.
    """

    command: Sequence[str] = (sys.executable, "-m", "sandbox")
    root = ROOT

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder = folder
        self.port = free_port()
        self.lines: list[str] = []
        self._environment = os.environ | {
            "SANDBOX_VAR": str(folder),
            "PORT": str(self.port),
            "REPLICATE_RATE_LIMIT": "50/3s",
            "REPLICATE_MIN_SPACING": "100ms",
            **settings,
        }
        for name in ("REPLICATE_API_TOKEN", "REPLICATE_BASE_URL"):
            self._environment.pop(name, None)
        self._environment |= settings

    def start(self) -> "MakeRun":
        """Start it, for the first time or again."""
        self.lines = []
        self._new: queue.Queue[str | None] = queue.Queue()
        self.process = subprocess.Popen(
            self.command, cwd=self.root, env=self._environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        threading.Thread(target=_read_lines, args=(self.process, self._new), daemon=True).start()
        return self

    def wait_for(self, text: str, patience: float = 200.0) -> None:
        """Return when it prints a line that holds `text`."""
        self.wait_for_line(re.compile(re.escape(text)), patience)

    def wait_for_line(self, pattern: re.Pattern[str], patience: float = 200.0) -> None:
        """Return when it prints a line in which the pattern is found."""
        deadline = time.monotonic() + patience
        while not self.lines or not pattern.search(self.lines[-1]):
            try:
                line = self._new.get(timeout=max(0.01, deadline - time.monotonic()))
            except queue.Empty:
                line = None
            assert line is not None, f"no {pattern.pattern!r} in:\n" + "\n".join(self.lines)
            self.lines.append(line)

    def end(self, *signals: signal.Signals, patience: float = 60.0) -> int:
        """Send the signals; return the exit code."""
        for number in signals:
            self.process.send_signal(number)
        return self.process.wait(patience)

    def close(self) -> None:
        """Leave no process behind, however the test went."""
        for pid in self.pids():
            os.kill(pid, signal.SIGKILL)
        self.process.wait()

    def said(self) -> str:
        """Everything that it printed until its end."""
        while (line := self._new.get(timeout=10)) is not None:
            self.lines.append(line)
        return "\n".join(self.lines)

    def pids(self, word: str = "") -> list[int]:
        """The processes that belong to this run, by the folder's name in their environment."""
        mark = f"SANDBOX_VAR={self.folder}".encode() + b"\0"
        return [pid for pid in _all_pids() if mark in _read(pid, "environ") and _runs(pid, word)]

    def demo(self) -> dict[str, str]:
        """What `demo.env` says."""
        lines = (self.folder / "demo.env").read_text().splitlines()
        pairs = (line.split("=", 1) for line in lines)
        return {name: shlex.split(value)[0] for name, value in pairs}

    def get(self, path: str) -> Any:
        """The JSON that the API answers to the demo instance."""
        headers = {"Authorization": f"Bearer {self.demo()['API_TOKEN']}"}
        url = self.demo()["API_URL"] + path
        answer = httpx.get(url, headers=headers, timeout=10, trust_env=False)
        return answer.raise_for_status().json()


def _read_lines(process: subprocess.Popen[str], lines: queue.Queue[str | None]) -> None:
    """Pass on what it prints, and None at the end."""
    assert process.stdout is not None
    with process.stdout as output:
        for line in output:
            lines.put(line.rstrip("\n"))
    lines.put(None)


def _all_pids() -> list[int]:
    return [
        int(entry.name) for entry in Path("/proc").iterdir() if re.fullmatch(r"\d+", entry.name)
    ]


def _runs(pid: int, word: str) -> bool:
    words = _read(pid, "cmdline").split(b"\0")
    return bool(words[0]) and (not word or word.encode() in words)


def _read(pid: int, file: str) -> bytes:
    """Empty for a process that has just ended, or is a zombie, or is another user's."""
    try:
        return Path(f"/proc/{pid}/{file}").read_bytes()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return b""
