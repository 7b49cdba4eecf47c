"""The supervisor of `make run` notices what its processes do."""

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sandbox.folder import Folder
from sandbox.processes import PARTS, SERVICE, Program, write_config
from sandbox.supervisor import Supervisor
from sandbox.trouble import Trouble
from tests.tether import free_port

pytestmark = pytest.mark.lengthy
Start = Callable[[str], Supervisor]


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """Start a supervisor with one program, the Python code that is given."""
    monkeypatch.setenv("SANDBOX_VAR", str(tmp_path))
    started: list[Supervisor] = []

    def start(code: str) -> Supervisor:
        folder, port = Folder(), free_port()
        programs = [
            Program("moody", PARTS, [sys.executable, "-c", code]),
            Program("idle", SERVICE, [sys.executable, "-c", ""]),
        ]
        config = write_config(folder, port, programs)
        started.append(Supervisor(folder, config, port))
        started[0].start({})
        return started[0]

    yield start
    started[0].stop()


def watch(supervisor: Supervisor, seconds: float) -> list[str]:
    """The names that `check` returned within so many seconds."""
    deadline, seen = time.monotonic() + seconds, list[str]()
    while time.monotonic() < deadline:
        seen += supervisor.check()
        time.sleep(0.1)
    return seen


def test_a_crash_loop_does_not_go_unnoticed(start: Start) -> None:
    supervisor = start("import time; print('I will not stay'); time.sleep(2.5)")

    with pytest.raises(Trouble, match=r"(?s)moody dies again and again\..*I will not stay"):
        watch(supervisor, 60)


def test_a_program_that_never_runs_is_told_with_its_log(start: Start) -> None:
    supervisor = start("raise SystemExit('no such sandwich')")

    with pytest.raises(Trouble, match=r"(?s)moody does not start\..*no such sandwich"):
        watch(supervisor, 60)


def test_a_program_that_stays_is_left_alone(start: Start) -> None:
    supervisor = start("import time; time.sleep(600)")

    assert watch(supervisor, 5) == []
    assert sorted((s.name, s.state) for s in supervisor.states()) == [
        ("idle", "STOPPED"),
        ("moody", "RUNNING"),
    ]


def test_a_program_that_does_not_hear_sigterm_is_killed(start: Start) -> None:
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
    supervisor = start(deaf)
    watch(supervisor, 3)

    began = time.monotonic()
    assert supervisor.stop()

    assert time.monotonic() - began < 30
