"""Darkroom's limiter as a worker uses it: some threads behind one that asks."""

import os
import signal
import threading
from collections.abc import Callable
from itertools import count

from benchmarks.limiter.load import Load
from benchmarks.limiter.receiver import Sender
from config.forms import RateLimit
from models.controls import AS_SET
from tasks.limiter import Grant, Limiter, limiter_redis
from tasks.waiting import SlotQueue
from tests.limiter_steps import keep

THREADS = 2


def prepare(load: Load) -> Callable[[], None]:
    worker = Worker(load)

    def serve() -> None:
        threads = [threading.Thread(target=worker.work) for _ in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    return serve


class Worker:
    """What the threads of one process share."""

    def __init__(self, load: Load) -> None:
        self._load = load
        limit = RateLimit(load.count, load.window)
        self._limiter = Limiter(limiter_redis(load.url), limit, load.spacing, lambda _window: [])
        self._queue = SlotQueue(self._limiter)
        self._grants = count(1)

    def work(self) -> None:
        sender, stop = Sender(self._load.port), threading.Event()
        while True:
            grant = self._queue.acquire(stop, lambda: AS_SET, patience=60, claim=keep)
            if isinstance(grant, Grant):
                self._use(grant, sender)

    def _use(self, grant: Grant, sender: Sender) -> None:
        if next(self._grants) == self._load.drops_at:
            os.kill(os.getpid(), signal.SIGKILL)
        if self._limiter.is_fresh(grant):
            sender.send()
            self._limiter.arrived(grant, self._limiter.age(grant))
