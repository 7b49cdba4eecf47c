"""Run a command that gets SIGTERM when the process that started it dies, even by `kill -9`.

`python -m sandbox.tied PARENT-PID COMMAND …`. Only Linux can do that (PR_SET_PDEATHSIG, which
survives exec); elsewhere the command outlives a parent that was killed.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main(parent: int, command: list[str]) -> None:
    """Tie this process to its parent and become the command."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)
        if os.getppid() != parent:
            sys.exit("the parent died before the child was tied to it")
    os.execv(command[0], command)  # noqa: S606  no shell is meant


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
