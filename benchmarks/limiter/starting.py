"""The processes of a case: Python ones are forked off one that has imported what they need."""

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Protocol

from celery import Celery

from benchmarks.limiter import bullmq
from benchmarks.limiter.cases import BULLMQ, CELERY, OURS, SKEW, Case
from benchmarks.limiter.load import Load
from tests.forks import Fork, Forks

WAYS = {OURS: "ours", "limits": "limits", "pyrate-limiter": "pyrate", "dramatiq": "dramatiq"}
FORKS = Forks()


class Process(Protocol):
    """What is used of a process."""

    def kill(self) -> None: ...
    def poll(self) -> int | None: ...
    def wait(self, timeout: float, /) -> int: ...


def start(case: Case, url: str, port: int, folder: Path) -> list[Process]:
    """Start them; each will tell the receiver at `port` that it is ready."""
    if case.limiter == BULLMQ:
        return [*bullmq.start(case, url, port, folder)]
    if case.limiter == CELERY:
        _publish(case, url)
        return [_celery(case, number, url, port, folder) for number in range(case.processes)]
    return [_load(case, number, url, port, folder) for number in range(case.processes)]


def begin(case: Case, url: str) -> None:
    """Beside the receiver's start: Celery's workers begin when they are told to."""
    if case.limiter == CELERY:
        Celery(broker=url).control.add_consumer("sends")


def _load(case: Case, number: int, url: str, port: int, folder: Path) -> Fork:
    limit = case.limit
    # About in the middle of the run.
    drops = max(1, round(1.5 * limit.count / case.processes)) if number < case.dropped else 0
    load = Load(WAYS[case.limiter], url, port, limit.count, limit.window, limit.spacing, drops)
    words = ["benchmarks.limiter.load", json.dumps(asdict(load))]
    return FORKS.run(_shifted(case, number, words), dict(os.environ), folder / f"{number}.log")


def _celery(case: Case, number: int, url: str, port: int, folder: Path) -> Fork:
    rate = f"{case.limit.count / case.limit.window * 60:g}/m"
    facts = {"CELERY_SENDS_URL": url, "CELERY_SENDS_PORT": str(port), "CELERY_SENDS_RATE": rate}
    quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel=ERROR"]
    pool = ["--pool=threads", "--concurrency=2", f"--hostname=worker{number}@here"]
    app = ["celery", "--app=benchmarks.limiter.celery_worker", "worker", "--queues=idle"]
    words = _shifted(case, number, [*app, *pool, *quiet])
    return FORKS.run(words, os.environ | facts, folder / f"{number}.log")


def _shifted(case: Case, number: int, words: list[str]) -> list[str]:
    skewed = case.skewed and number % 2
    return ["tests.clock_off", str(SKEW), *words] if skewed else words


def _publish(case: Case, url: str) -> None:
    """As many messages as the workers could take in the time, each at its own rate."""
    app = Celery(broker=url)
    app.conf.task_default_queue = "sends"
    rate = case.processes * case.limit.count / case.limit.window
    with app.connection_for_write() as connection, app.amqp.Producer(connection) as producer:
        for _ in range(round(rate * (case.seconds + 1))):
            app.send_task("send", queue="sends", producer=producer, ignore_result=True)
