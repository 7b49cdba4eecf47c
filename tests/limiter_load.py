"""One process of many that use the limiter as a worker does: `python -m tests.limiter_load JSON`.

It appends to three files in `folder`, which all processes share, one line of seconds each: `grants`
(Redis's clock), `claims` (what the database would know), `sends` (directly before the last look at
the grant's age, and only if that was good). What operators set they read from `terms`.
"""

import json
import os
import random
import sys
import threading
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from config.forms import RateLimit
from models.controls import AS_SET, Former, Pace, Terms
from tasks.limiter import Grant, Limiter, LimiterUnavailable, limiter_redis
from tasks.waiting import SlotQueue
from tests.forks import FORKS, Fork
from tests.limiter_steps import keep


@dataclass(frozen=True)
class Load:
    url: str
    folder: str
    count: int
    window: float
    spacing: float
    seconds: float
    threads: int = 3


def start(load: Load, processes: int) -> list[Fork]:
    words, log = ["tests.limiter_load", json.dumps(asdict(load))], Path(load.folder) / "log"
    return [FORKS.run(words, dict(os.environ), log) for _ in range(processes)]


def read(folder: Path, name: str) -> list[float]:
    """Return the seconds of one file in order; a line that is still being written is not one."""
    path = folder / name
    whole, _, _ = (path.read_text() if path.exists() else "").rpartition("\n")
    return sorted(map(float, whole.split()))


@dataclass(frozen=True)
class Change:
    """Another limit, and when it was written down."""

    count: int
    window: float
    at: float


def change(folder: Path, changes: list[Change], count: int, window: float) -> None:
    """Write another limit down, as an operator does, beside those that it replaces."""
    changes.append(Change(count, window, time.time()))
    new = folder / "terms.new"
    new.write_text(json.dumps([asdict(each) for each in changes]))
    new.rename(folder / "terms")


def _terms(folder: Path) -> Terms:
    path = folder / "terms"
    if not path.exists():
        return AS_SET
    changes = [Change(**each) for each in json.loads(path.read_text())]
    now = time.time()
    paces = [Pace(RateLimit(each.count, each.window), 0.0) for each in changes]
    replaced = zip(paces, changes[1:], strict=False)
    former = [Former(pace, later.at + pace.limit.window - now) for pace, later in replaced]
    binding = tuple(each for each in former if each.left > 0)
    return Terms(int(changes[-1].at * 1000), paces[-1], binding)


def _write(folder: Path, name: str, seconds: float) -> None:
    with (folder / name).open("a") as file:
        file.write(f"{seconds:.6f}\n")


def _run(load: Load) -> None:
    folder = Path(load.folder)

    def recent_sends(window: float) -> list[float]:
        now = time.time()
        return [now - claim for claim in read(folder, "claims") if claim > now - window]

    limit = RateLimit(load.count, load.window)
    queue = SlotQueue(
        limiter := Limiter(
            limiter_redis(load.url),
            limit,
            load.spacing,
            recent_sends,
            terms=lambda: _terms(folder),
        )
    )
    stop = threading.Event()
    threads = [
        threading.Thread(target=_work, args=(folder, limiter, queue, stop))
        for _ in range(load.threads)
    ]
    for thread in threads:
        thread.start()
    stop.wait(load.seconds)
    stop.set()
    for thread in threads:
        thread.join()


def _work(folder: Path, limiter: Limiter, queue: SlotQueue, stop: threading.Event) -> None:
    while not stop.is_set():
        try:
            grant = queue.acquire(stop, lambda: _terms(folder), patience=60, claim=keep)
        except LimiterUnavailable:
            stop.wait(0.05)
            continue
        if isinstance(grant, Grant):
            _write(folder, "grants", grant.granted_at)
            with suppress(LimiterUnavailable):
                _claim_and_send(folder, limiter, grant)


def _claim_and_send(folder: Path, limiter: Limiter, grant: Grant) -> None:
    """Some claims are slow, and a few so slow that their grant has aged."""
    claimed_at = time.time()
    time.sleep(random.choice([0, 0.01, 0.05, 0.15, 0.21]))
    _write(folder, "claims", claimed_at)
    sent_at = time.time()
    if limiter.is_fresh(grant):
        _write(folder, "sends", sent_at)
        limiter.arrived(grant, limiter.age(grant))


if __name__ == "__main__":
    _run(Load(**json.loads(sys.argv[1])))
