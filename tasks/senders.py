"""Who of a process sends webhooks right now: few threads, and never two for one instance.

A receiver that hangs holds a thread for seconds. Most threads of a housekeeper stay free for
following predictions, and one shop's receivers hold one thread at the most, however many of its
deliveries are due.
"""

import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager

from models.sending import Try

MOST = 3


class Senders:
    """Those of one process with so many threads: at most three, and a third of them."""

    def __init__(self, threads: int) -> None:
        self._places = threading.Semaphore(max(1, min(MOST, threads // 3)))
        self._choosing = threading.Lock()
        self._busy: set[int] = set()

    @contextmanager
    def place(self) -> Iterator[bool]:
        """Take a place, if there is one now, and give it back."""
        taken = self._places.acquire(blocking=False)
        try:
            yield taken
        finally:
            if taken:
                self._places.release()

    @contextmanager
    def one(self, take: Callable[[Collection[int]], Try | None]) -> Iterator[Try | None]:
        """Have a try that `take` chooses for this thread alone: not of an instance for which
        another thread sends."""
        with self._choosing:
            chosen = take(frozenset(self._busy))
            if chosen:
                self._busy.add(chosen.instance_id)
        try:
            yield chosen
        finally:
            if chosen:
                with self._choosing:
                    self._busy.discard(chosen.instance_id)
