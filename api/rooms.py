"""How many requests may do something slow at once, so that the others still find a thread.

A process answers 16 requests at a time (`gunicorn.conf.py`). The picture of a host that hangs takes
one of them for ten seconds; so most of those who ask for pictures may wait a while for a place, and
whoever comes when that many wait already is sent away at once.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Semaphore

PATIENCE = 5.0


class Full(Exception):
    """There was no place in time."""


class Room:
    """`places` for those who work, and `chairs` for those who wait `patience` seconds at most."""

    def __init__(self, places: int, chairs: int, patience: float = PATIENCE) -> None:
        self._places = Semaphore(places)
        self._inside = Semaphore(places + chairs)
        self._patience = patience

    @contextmanager
    def place(self) -> Iterator[None]:
        """Take a place, and give it back; raises `Full`."""
        with _taken(self._inside, 0.0), _taken(self._places, self._patience):
            yield


class Rooms:
    """Those of one process: of its 16 threads, two are left to the rest of the API."""

    def __init__(self, patience: float = PATIENCE) -> None:
        # Each holds a picture of up to 20 MiB, until it is scaled.
        self.sources = Room(6, 2, patience)
        self.results = Room(3, 3, patience)
        # Each takes a processor, and up to 100 MB: see `api/scaling.py`.
        self.scaling = Room(2, 7, patience)


@contextmanager
def _taken(semaphore: Semaphore, patience: float) -> Iterator[None]:
    if not semaphore.acquire(timeout=patience or None, blocking=bool(patience)):
        raise Full
    try:
        yield
    finally:
        semaphore.release()
