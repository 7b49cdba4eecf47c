"""One thread of a process looks, twice a second, whether the jobs that are followed live have
changed: one question to the database for all of them, and no transaction open in between."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import structlog
from flask import Flask
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from models.pulses import Pulse, pulses

log = structlog.get_logger(__name__)

# What a look may fail with while the database is away.
AWAY = (OperationalError, InterfaceError, PoolTimeout)


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds: between two looks of the thread; until a stream itself looks again while its job
    waits (when that is sent depends on others too), and while it does not; without an event, until
    a sign of life is sent; how long a stream lasts; how late it hears that its process ends."""

    look: float = 0.5
    waiting: float = 3.0
    anyway: float = 15.0
    heartbeat: float = 15.0
    life: float = 300.0
    listen: float = 0.25


class Follower:
    """One stream's ear at the watch. `waits`: places in the line are shown, which have to be looked
    at when the instance's turn comes. `over`: nobody may see the job any more."""

    def __init__(self, job_id: int) -> None:
        self.job_id = job_id
        self.waits = True
        self.over = False
        self._pulse: Pulse | None = None
        self._bell = threading.Event()
        self._bell.set()

    def hears(self, seconds: float) -> bool:
        """Wait so long at most; True once for all that may have changed meanwhile, and at first."""
        if not self._bell.wait(seconds):
            return False
        self._bell.clear()
        return True

    def tell(self, pulse: Pulse | None) -> None:
        """Ring if this pulse is another one than before. The first one rings as well: the job may
        have changed after the stream had looked at it."""
        before, self._pulse = self._pulse, pulse
        if pulse is None:
            self.over = True
        same = before and pulse and before.version == pulse.version
        if not same or (self.waits and before != pulse):
            self._bell.set()


class Watch:
    """That of one process. The thread is there for as long as somebody follows a job; one that was
    lost is replaced by the next stream, and until then each stream looks for itself.

    `alive` says whether the process goes on: gunicorn tells that to no thread, so its
    configuration puts a question here that knows.
    """

    def __init__(self, app: Flask, times: Times = Times()) -> None:
        self.app = app
        self.times = times
        self.alive: Callable[[], bool] = lambda: True
        self._lock = threading.Lock()
        self._followers: set[Follower] = set()
        self._thread: threading.Thread | None = None

    @property
    def busy(self) -> bool:
        """Whether its thread still runs."""
        return self._thread is not None

    @contextmanager
    def following(self, job_id: int) -> Iterator[Follower]:
        """Have a job watched."""
        follower = Follower(job_id)
        with self._lock:
            self._followers.add(follower)
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="live", daemon=True)
                self._thread.start()
        try:
            yield follower
        finally:
            with self._lock:
                self._followers.discard(follower)

    def _run(self) -> None:
        rest = threading.Event()
        while followers := self._present():
            self._look(followers)
            rest.wait(self.times.look)

    def _present(self) -> Sequence[Follower]:
        with self._lock:
            if not self._followers:
                self._thread = None
            return list(self._followers)

    def _look(self, followers: Sequence[Follower]) -> None:
        try:
            with self.app.app_context():
                found = pulses({each.job_id for each in followers})
        except AWAY as error:
            log.warning("followed jobs not looked at", error=type(error).__name__)
            return
        for each in followers:
            each.tell(found.get(each.job_id))
