"""When a worker got the message that it did something with, from its own log."""

import json
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

TASK = re.compile(r"Task [\w-]+\[(?P<id>[\w-]+)\] (?:received|succeeded in \S+s: '(?P<said>.*)')")
CREATED = re.compile(r"item (\d+) is prediction")
DONE = re.compile(r"item (\d+) is done")


def received(log: Path, said: re.Pattern[str]) -> dict[int, float]:
    """For each item of which a task said this in the end: when that task's message came."""
    came: dict[str, float] = {}
    found: dict[int, float] = {}
    for moment, event in _lines(log):
        task = TASK.fullmatch(event)
        if task and task["said"] is None:
            came[task["id"]] = moment
        elif task and (item := said.search(task["said"])):
            found[int(item[1])] = came[task["id"]]
    return found


def _lines(log: Path) -> Iterator[tuple[float, str]]:
    """What is JSON; what Celery prints at its start is not."""
    for line in log.read_text().splitlines():
        if line.startswith("{"):
            facts = json.loads(line)
            yield datetime.fromisoformat(facts["timestamp"]).timestamp(), str(facts["event"])
