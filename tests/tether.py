"""Start a real server for a test so that it cannot outlive the test's process.

`kill -9` on pytest runs no fixture's end. On Linux a child can ask the kernel for a signal in that
case (PR_SET_PDEATHSIG). It must ask after it has changed its user, which clears the wish, and exec
keeps it: so a few lines of Python stand between Popen and the server, do both, and become the
server. (A `preexec_fn` would do as well, but forking a process with threads is deprecated.)

Linux sends the signal when the *thread* ends that started the child: start servers from a thread
that lives as long as they should. Other systems lack the signal; there a killed test leaves its
servers behind.
"""

import os
import random
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Protocol

BECOME = """
import ctypes, os, sys
parent, death_signal, uid, gid, *command = sys.argv[1:]
if int(uid) != os.geteuid():
    os.setgroups([]); os.setgid(int(gid)); os.setuid(int(uid))
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, int(death_signal), 0, 0, 0)
    if os.getppid() != int(parent):
        sys.exit("the parent died before the child was tied to it")
os.execv(command[0], command)
"""


def tethered(
    command: list[str], log: Path, uid: int, gid: int, death_signal: signal.Signals
) -> subprocess.Popen[bytes]:
    """Start `command` (a full path first) as that user; it gets `death_signal` when we die.

    The child keeps the pid of the Popen, reads nothing and writes both outputs into `log`.
    """
    ties = [str(os.getpid()), str(int(death_signal)), str(uid), str(gid)]
    with log.open("ab") as output:
        return subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", BECOME, *ties, *command],
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )


class Endable(Protocol):
    """What is used here of a `subprocess.Popen`."""

    def send_signal(self, signal: signal.Signals, /) -> None: ...
    def wait(self, timeout: float, /) -> int: ...
    def kill(self) -> None: ...


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens on and that no client is given by chance.

    Ports of the ephemeral range would be free as well, but while a server is down for a restart a
    client's own end may take its port, even by connecting to itself.
    """
    for _ in range(200):
        port = random.randrange(10_240, 32_768)
        if _bindable(port):
            return port
    raise RuntimeError("no free port found on 127.0.0.1")


def _bindable(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def end(process: Endable, how: signal.Signals, patience: float = 10.0) -> None:
    """Send `how` and wait; kill -9 where that is not heard within `patience` seconds."""
    process.send_signal(how)
    try:
        process.wait(patience)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(patience)
