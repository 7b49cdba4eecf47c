"""`make run` in a fresh clone, until the first photograph is optimized."""

import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.compose import ROOT
from tests.make_run import MakeRun

PATIENCE = 120.0


# What it prints, in this order.
LINES = {
    "installed": re.compile("Starting Valkey"),
    "ready": re.compile("of 5 photographs"),
    "first": re.compile(": [1-5] of 5 photographs"),
    "all": re.compile(": 5 of 5 photographs"),
}


@dataclass(frozen=True)
class FirstResult:
    """Seconds from the command to what it tells: the virtual environment is there, the service
    is ready, the first photograph is optimized, all five are."""

    installed: float
    ready: float
    first: float
    all: float


def first_results() -> tuple[FirstResult, FirstResult]:
    """Run it in a new clone, which has no virtual environment, and there once more with an empty
    `var/`."""
    with _clone() as clone:
        fresh = _run(clone)
        shutil.rmtree(clone / "var")
        return fresh, _run(clone)


@contextmanager
def _clone() -> Iterator[Path]:
    """What is committed, in a folder that is gone at the end."""
    folder = Path(tempfile.mkdtemp(prefix="darkroom-clone-"))
    try:
        subprocess.run(["git", "clone", "-q", str(ROOT), str(folder / "clone")], check=True)
        yield folder / "clone"
    finally:
        shutil.rmtree(folder)


def _run(clone: Path) -> FirstResult:
    """As a person does, at a free port and with the default limit."""
    default = {"REPLICATE_RATE_LIMIT": "5/30s", "REPLICATE_MIN_SPACING": "1s"}
    run = MakeRun(clone / "var", **default)
    run.command, run.root = ("make", "run"), clone
    began = time.monotonic()
    run.start()
    try:
        return FirstResult(**{name: _moment_of(run, line) - began for name, line in LINES.items()})
    finally:
        # What is killed all at once cannot end what it has started.
        run.end(signal.SIGTERM)
        run.close()


def _moment_of(run: MakeRun, line: re.Pattern[str]) -> float:
    run.wait_for_line(line, PATIENCE)
    return time.monotonic()
