"""Batches of cases: each on a Valkey and a receiver of its own, and all of them at once."""

import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import redis

from benchmarks.limiter import starting
from benchmarks.limiter.cases import Case
from benchmarks.limiter.receiver import Receiver
from tests.valkey import Valkey

STARTS_WITHIN = 60.0  # seconds


@dataclass(frozen=True)
class Work:
    """What Redis had done by some moment: script calls of clients, times that it read from one (a
    round trip each), seconds of CPU."""

    scripts: int
    trips: int
    cpu: float

    def since(self, earlier: "Work") -> "Work":
        return Work(
            self.scripts - earlier.scripts, self.trips - earlier.trips, self.cpu - earlier.cpu
        )


@dataclass(frozen=True)
class Outcome:
    """What came of a case. `work` is Redis's, for the `worked_for` sends from half a round after
    the first one on, when everybody has begun; `deaths` are the processes that are gone."""

    case: Case
    arrivals: list[float]
    work: Work
    worked_for: int
    deaths: int = 0


def run(cases: list[Case]) -> list[Outcome]:
    """Run the cases side by side; they begin when the processes of all of them are ready."""
    runs: list[_Run] = []
    try:
        runs.extend(_Run(case) for case in cases)
        _wait(lambda: all(each.is_ready() for each in runs), STARTS_WITHIN, "not ready")
        for each in runs:
            each.begin()
        patience = 15 + max(case.seconds for case in cases)
        _wait(lambda: sum(each.look() for each in runs) == len(runs), patience, "nothing arrives")
        return [each.outcome() for each in runs]
    finally:
        for each in runs:
            each.close()


def _wait(until: Callable[[], bool], patience: float, problem: str) -> None:
    deadline = time.monotonic() + patience
    while not until():
        if time.monotonic() > deadline:
            raise RuntimeError(f"{problem} within {patience:g} s")
        time.sleep(0.02)


class _Run:
    """One case while it runs."""

    def __init__(self, case: Case) -> None:
        self._case = case
        self._folder = Path(tempfile.mkdtemp(prefix="limiter-"))
        self._receiver = Receiver()
        self._valkey = Valkey().start()
        self._redis = redis.Redis.from_url(self._valkey.url)
        self._processes = starting.start(case, self._valkey.url, self._receiver.port, self._folder)
        self._begun: tuple[Work, int] | None = None
        self._ended: tuple[Work, int] | None = None
        # Those that end themselves are the first ones.
        self._victims = self._processes[case.dropped : case.dropped + case.killed]

    def is_ready(self) -> bool:
        if self._receiver.ready == self._case.processes:
            return True
        for process in self._processes:
            if process.poll() is not None:
                logs = [file.read_text()[-2000:] for file in self._folder.glob("*.log")]
                raise RuntimeError(f"{self._case}: a process has ended: {max(logs, key=len)}")
        return False

    def begin(self) -> None:
        self._receiver.start()
        starting.begin(self._case, self._valkey.url)

    def look(self) -> bool:
        """Do what is due by now; say whether the case is over."""
        if self._ended is None and self._receiver.arrivals:
            passed = time.monotonic() - self._receiver.arrivals[0]
            if self._begun is None and passed > self._case.limit.round / 2:
                self._begun = self._work()
            self._kill(passed)
            if passed > self._case.seconds:
                self._ended = self._work()
        return self._ended is not None

    def _kill(self, passed: float) -> None:
        """One after the other, from half a round after the start to a round before the end."""
        between = (self._case.rounds - 1) * self._case.limit.round / max(1, self._case.killed)
        place = self._case.killed - len(self._victims)
        if self._victims and passed > self._case.limit.round / 2 + place * between:
            self._victims.pop(0).kill()

    def _work(self) -> tuple[Work, int]:
        arrived = len(self._receiver.arrivals)
        facts = self._redis.info("everything")
        scripts = sum(
            facts.get(f"cmdstat_{name}", {"calls": 0})["calls"] for name in ("eval", "evalsha")
        )
        cpu = facts["used_cpu_user"] + facts["used_cpu_sys"]
        return Work(scripts, facts["total_reads_processed"], cpu), arrived

    def outcome(self) -> Outcome:
        assert self._begun
        assert self._ended
        first = self._receiver.arrivals[0]
        arrivals = [each for each in self._receiver.arrivals if each <= first + self._case.seconds]
        work = self._ended[0].since(self._begun[0])
        deaths = sum(process.poll() is not None for process in self._processes)
        return Outcome(self._case, arrivals, work, self._ended[1] - self._begun[1], deaths)

    def close(self) -> None:
        for process in self._processes:
            process.kill()
        for process in self._processes:
            process.wait(10)
        self._receiver.close()
        self._redis.close()
        self._valkey.close()
        shutil.rmtree(self._folder, ignore_errors=True)
