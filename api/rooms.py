"""How many requests may do something slow at once, so that the others still find a thread.

A process answers 28 requests at a time (`gunicorn.conf.py`). The picture of a host that hangs takes
one of them for ten seconds, a shop that hangs for five; so some of those who ask for one may wait
a while for a place, and whoever comes when that many wait already is sent away at once.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock, Semaphore

PATIENCE = 5.0


class Full(Exception):
    """There was no place in time."""


class PicturesFull(Full):
    """Too many pictures are being fetched or scaled."""


class UploadsFull(Full):
    """Too many pictures are being uploaded."""


class CatalogueFull(Full):
    """Too many shops are being asked for their products."""


class StreamsFull(Full):
    """Too many jobs are being followed live."""


class Room:
    """`places` for those who work, and `chairs` for those who wait `patience` seconds at most."""

    def __init__(self, places: int, chairs: int, patience: float, full: type[Full]) -> None:
        self._full = full
        self._places = Semaphore(places)
        self._inside = Semaphore(places + chairs)
        self._patience = patience

    @contextmanager
    def place(self) -> Iterator[None]:
        """Take a place, and give it back; raises the room's kind of `Full`."""
        with self._taken(self._inside, 0.0), self._taken(self._places, self._patience):
            yield

    @contextmanager
    def _taken(self, semaphore: Semaphore, patience: float) -> Iterator[None]:
        if not semaphore.acquire(timeout=patience or None, blocking=bool(patience)):
            raise self._full
        try:
            yield
        finally:
            semaphore.release()


class SharedRoom:
    """`places` in all, of which one guest has `each` at most; nobody waits for one."""

    def __init__(self, places: int, each: int, full: type[Full]) -> None:
        self._places = places
        self._each = each
        self._full = full
        self._lock = Lock()
        self._guests: Counter[int] = Counter()

    @contextmanager
    def place(self, guest: int) -> Iterator[None]:
        """Take a place, and give it back; raises the room's kind of `Full`."""
        with self._lock:
            if self._guests.total() >= self._places or self._guests[guest] >= self._each:
                raise self._full
            self._guests[guest] += 1
        try:
            yield
        finally:
            with self._lock:
                self._guests[guest] -= 1
                # A guest who has left is not kept in mind.
                self._guests = +self._guests


class Rooms:
    """Those of one process: of its 28 threads ten are for pictures at the most, four for products,
    four for uploads and eight for streams; two are always left to the rest of the API."""

    def __init__(self, patience: float = PATIENCE) -> None:
        # Each holds a picture of up to 20 MiB, until it is scaled.
        self.sources = Room(5, 1, patience, PicturesFull)
        self.results = Room(3, 1, patience, PicturesFull)
        # Each takes a processor, and up to 100 MB: see `api/scaling.py`.
        self.scaling = Room(2, 6, patience, PicturesFull)
        self.catalogue = Room(3, 1, patience, CatalogueFull)
        # Each is read into memory as it comes, which may take two minutes.
        self.uploads = Room(3, 1, patience, UploadsFull)
        # It takes a processor for a second or several, and up to half a gigabyte: see
        # `api/cleaning.py`. Whoever has come so far need not send it all again.
        self.cleaning = Room(1, 2, 4 * patience, UploadsFull)
        # Each lasts for minutes, mostly asleep. Whoever finds none asks every few seconds instead.
        self.streams = SharedRoom(8, 2, StreamsFull)
