"""How long the services take to be ready, and what they import for it."""

import http.client
import re
import shutil
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.servers import Servers
from benchmarks.size import image
from tests.compose import ROOT
from tests.containers import READY_WITHIN, Container, running, says

LINE = re.compile(r"import time:\s+(\d+) \|\s+\d+ \|\s+(\S+)")
REPORTING = {"PYTHONPROFILEIMPORTTIME": "1"}
# What an operator calls: it answers and ends.
COMMAND = ("-m", "flask", "--app", "wsgi", "instances", "list")


@dataclass(frozen=True)
class Imports:
    """How many modules a process imports, and the seconds that each package's take, their own
    imports left out."""

    modules: int
    seconds: dict[str, float]

    @property
    def total(self) -> float:
        """All of it."""
        return sum(self.seconds.values())


def _healthy(container: Container) -> bool:
    """gunicorn's master listens before a process answers: so ask once, and wait."""
    connection = http.client.HTTPConnection("127.0.0.1", container.port, timeout=READY_WITHIN)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except ConnectionRefusedError:
        return False
    finally:
        connection.close()


SERVICES: dict[str, Callable[[Container], bool]] = {
    "api": _healthy,
    "worker": says("ready."),
    "housekeeper": says("ready."),
    "beat": says("beat: Starting"),
}


def seconds_to_start(below: Servers, service: str) -> float:
    """From the start of the process until it is ready."""
    return _started(below, service)[0]


def seconds_of_command(below: Servers) -> float:
    """From the start of a command of the command line until its end."""
    return _called(below)[0]


def imports(below: Servers, service: str) -> Imports:
    """Have Python itself report what a service imports until it is ready."""
    return read_report(_started(below, service, **REPORTING)[1])


def imports_of_command(below: Servers) -> Imports:
    """The same of a command."""
    return read_report(_called(below, **REPORTING)[1])


def read_report(report: str) -> Imports:
    """Read what `-X importtime` says, in microseconds, of one process or of several."""
    seconds: defaultdict[str, float] = defaultdict(float)
    lines = [(int(own), name) for own, name in LINE.findall(report)]
    for own, name in lines:
        seconds[name.partition(".")[0]] += own / 1_000_000
    return Imports(len({name for _own, name in lines}), dict(seconds))


def _started(below: Servers, service: str, **also: str) -> tuple[float, str]:
    """Return the seconds, and what it wrote until it was ready."""
    folder = _emptied(below.folder / f"start of {service}")
    environment = image.environment(**_settings(below, folder), **also)
    began = time.monotonic()
    with running(service, environment, folder) as container:
        container.wait_until(SERVICES[service], every=0.005)
        return time.monotonic() - began, container.log.read_text()


def _called(below: Servers, **also: str) -> tuple[float, str]:
    """Return the seconds, and what it wrote beside its answer."""
    folder = _emptied(below.folder / "a command")
    environment = image.environment(**_settings(below, folder), **also)
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, *COMMAND], cwd=ROOT, env=environment, capture_output=True, text=True,
        check=True, timeout=READY_WITHIN,
    )  # fmt: skip
    return time.monotonic() - began, done.stderr


def _emptied(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return folder


def _settings(below: Servers, folder: Path) -> dict[str, str]:
    return {
        "DATABASE_URL": below.database_url,
        "REDIS_URL": below.redis_url,
        "SECRET_KEY": "secret-of-the-benchmarks",
        "REPLICATE_API_TOKEN": "r8_test",
        "REPLICATE_BASE_URL": below.stand_in.url,
        "STORAGE_URL": (folder / "results").as_uri(),
        "METRICS_TOKEN": "metrics",
        "WEB_CONCURRENCY": "1",
    }
