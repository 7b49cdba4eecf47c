"""Processes that work on one database side by side."""

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.simulation.meter import processor_time
from benchmarks.simulation.stage import Stage

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-m", "benchmarks.simulation.crew_member"]


@dataclass(frozen=True, slots=True)
class Output:
    """What they did together: images, images a second, and the server's processor time for each,
    in milliseconds."""

    images: int
    rate: float
    server_ms: float


class Crew:
    """So many processes, which wait for a task."""

    def __init__(self, stage: Stage, members: int) -> None:
        self._stage = stage
        pipe = subprocess.PIPE
        self.members = [
            subprocess.Popen(COMMAND, cwd=ROOT, stdin=pipe, stdout=pipe, text=True)
            for _ in range(members)
        ]

    def work(self, url: str, what: str, seconds: float, shops: Sequence[int]) -> Output:
        """Let one member for each of the shops do `what` (of `lives.WORK`) for so long."""
        chosen = self.members[: len(shops)]
        for member, shop in zip(chosen, shops, strict=True):
            _tell(member, {"url": url, "what": what, "seconds": seconds, "shop": shop})
        for member in chosen:
            _said(member)
        before = self._server_seconds()
        for member in chosen:
            _tell(member, "go")
        answers = [json.loads(_said(member)) for member in chosen]
        used = self._server_seconds() - before
        for member in chosen:
            _tell(member, "done")
        images = sum(int(answer["images"]) for answer in answers)
        rate = sum(answer["images"] / answer["seconds"] for answer in answers)
        return Output(images, rate, 1000 * used / images)

    def close(self) -> None:
        """End them."""
        for member in self.members:
            member.kill()
            member.communicate()

    def _server_seconds(self) -> float:
        assert self._stage.postgres.process is not None
        return processor_time({"server": self._stage.postgres.process.pid})["server"]


@contextmanager
def crew(stage: Stage, members: int) -> Iterator[Crew]:
    """Start them, and leave none behind."""
    started = Crew(stage, members)
    try:
        yield started
    finally:
        started.close()


def _tell(member: "subprocess.Popen[str]", word: Any) -> None:
    print(json.dumps(word), file=member.stdin, flush=True)


def _said(member: "subprocess.Popen[str]") -> str:
    assert member.stdout is not None
    line = member.stdout.readline()
    if not line:
        raise RuntimeError("a process of the benchmark died: its reason stands above")
    return line
