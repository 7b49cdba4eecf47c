"""Supervisord as a child of ours: it starts the processes, restarts what dies, stops them all."""

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xmlrpc import client as xmlrpc

import httpx

from sandbox.folder import ROOT, Folder
from sandbox.trouble import Trouble

# Both groups stop one after the other, each within its processes' 12 s.
STOP_PATIENCE = 40.0
# So many unwanted restarts of one process within so many seconds are a crash loop.
TOO_MANY_RESTARTS, CRASH_LOOP = 3, 300.0


@dataclass(frozen=True, slots=True)
class State:
    """One process as supervisord sees it; `pid` is 0 while it does not run."""

    name: str
    state: str
    pid: int


class Supervisor:
    """One supervisord, in a process group of its own: Ctrl-C reaches only us, and we tell it."""

    def __init__(self, folder: Folder, config: Path, port: int) -> None:
        self._folder = folder
        self._url = f"http://127.0.0.1:{port}/RPC2"
        self._auth = ("sandbox", folder.secret("supervisor"))
        self._config = config
        self._process: subprocess.Popen[bytes] | None = None
        self._pids: dict[str, int] = {}
        self._restarts: dict[str, list[float]] = {}

    def start(self, environment: dict[str, str]) -> None:
        """Start supervisord, and with it the parts that the service stands on."""
        python = sys.executable
        supervisord = [python, "-m", "supervisor.supervisord", "-c", str(self._config)]
        command = [python, "-m", "sandbox.tied", str(os.getpid()), *supervisord]
        with self._folder.log("supervisord.start").open("wb") as log:
            self._process = subprocess.Popen(
                command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL,
                stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip

    def start_group(self, name: str) -> None:
        """Start the processes of a group, without waiting for them."""
        self._call("startProcessGroup", name, False)

    def stop(self) -> bool:
        """Stop everything, in order; True when nothing had to be killed."""
        if self._process is None or self._process.poll() is not None:
            return True
        self._process.terminate()
        try:
            self._process.wait(STOP_PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            return False
        return True

    def check(self) -> list[str]:
        """Return the names of processes that died and came back since the last check.

        Raises `Trouble` with the end of the log of one that cannot start or dies again and again.
        """
        if self._process is not None and self._process.poll() is not None:
            raise self.trouble("supervisord", "ended")
        reborn = [state.name for state in self.states() if self._is_reborn(state)]
        for name in reborn:
            if self._is_looping(name):
                raise self.trouble(name, "dies again and again")
        return reborn

    def states(self) -> list[State]:
        """Every process; none while supervisord itself is only starting."""
        try:
            found = self._call("getAllProcessInfo")
        except httpx.TransportError:
            return []
        return [State(one["name"], one["statename"], one["pid"]) for one in found]

    def log(self, name: str) -> Path:
        """Where a process writes what it has to say."""
        return self._folder.log(name)

    def trouble(self, name: str, what: str) -> Trouble:
        """Say where to read more, and the end of it."""
        log = self._folder.log(name)
        if name == "supervisord" and not log.exists():
            log = self._folder.log("supervisord.start")
        return Trouble(f"{name} {what}. The end of {log}:\n{tail(log)}")

    def _is_reborn(self, state: State) -> bool:
        """Whether it runs under another pid than before.

        While it has not even run for `startsecs`, supervisord counts its tries, and gives it up.
        """
        if state.state == "FATAL":
            raise self.trouble(state.name, "does not start")
        if state.state != "RUNNING":
            return False
        known = self._pids.get(state.name, state.pid)
        self._pids[state.name] = state.pid
        return known != state.pid

    def _is_looping(self, name: str) -> bool:
        now = time.monotonic()
        recent = [then for then in self._restarts.get(name, []) if now - then < CRASH_LOOP]
        self._restarts[name] = [*recent, now]
        return len(self._restarts[name]) >= TOO_MANY_RESTARTS

    def _call(self, method: str, *words: Any) -> Any:
        """Call supervisord; its refusals rise as `xmlrpc.Fault`."""
        body = xmlrpc.dumps(words, f"supervisor.{method}")
        headers = {"Content-Type": "text/xml"}
        answer = httpx.post(self._url, content=body, auth=self._auth, headers=headers, timeout=10)
        answer.raise_for_status()
        return xmlrpc.loads(answer.content)[0][0]


def tail(log: Path, lines: int = 15) -> str:
    """The last lines of a log."""
    if not log.exists():
        return "(it is empty)"
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:]) or "(it is empty)"
