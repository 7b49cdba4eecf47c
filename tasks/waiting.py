"""Many threads of one process wait for a slot behind a single one that asks.

All waiters are alike (a slot is not for a certain image), so it does not matter who is served, and
Redis hears one question per process instead of one per thread.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from tasks.limiter import Grant, Limiter, Wait

LONG_PAUSE = 5.0  # seconds; a longer one ends the wait, because it holds a thread for nothing
LOOK_AGAIN = 1.0  # seconds; how late a waiter may notice that nothing is due or a slot came back
QUEUE_POLL = 0.1  # seconds; how late a thread behind another hears of the stop


@dataclass(frozen=True, slots=True)
class Paused:
    """Nothing is granted for `seconds` more; come back after that."""

    seconds: float
    reason: str


@dataclass(frozen=True, slots=True)
class NotWanted:
    """There is nothing left that the slot would be for."""


@dataclass(frozen=True, slots=True)
class Stopped:
    """The process is asked to end."""


@dataclass(frozen=True, slots=True)
class TimedOut:
    """No slot came within the caller's patience."""


NoSlot = Paused | NotWanted | Stopped | TimedOut
Claimed = TypeVar("Claimed")


class Stop(Protocol):
    """What the waiters need of a `threading.Event`."""

    def is_set(self) -> bool: ...
    def wait(self, timeout: float) -> bool: ...


class SlotQueue:
    """The line of one process; make one per limiter and share it among the threads."""

    def __init__(self, limiter: Limiter, clock: Callable[[], float] = time.monotonic) -> None:
        self._limiter = limiter
        self._clock = clock
        self._front = threading.Lock()

    def acquire(
        self,
        stop: Stop,
        still_wanted: Callable[[], bool],
        patience: float,
        claim: Callable[[Grant], Claimed | None],
    ) -> Claimed | NoSlot:
        """Wait for a slot, at most `patience` seconds, and return what `claim` makes of it.

        `claim` runs while the thread is still in front, so that the threads of one process do not
        meet at the same row. When it returns None (it gave the grant back), the wait goes on.

        `still_wanted` is asked before each question to Redis, about once a second, by the front
        thread alone: it should be one cheap query. What it raises rises from here, as does
        `LimiterUnavailable`.
        """
        deadline = self._clock() + patience
        while not stop.is_set():
            if self._front.acquire(timeout=QUEUE_POLL):
                try:
                    return self._wait_in_front(stop, still_wanted, deadline, claim)
                finally:
                    self._front.release()
            if self._clock() >= deadline:
                return TimedOut()
        return Stopped()

    def _wait_in_front(
        self,
        stop: Stop,
        still_wanted: Callable[[], bool],
        deadline: float,
        claim: Callable[[Grant], Claimed | None],
    ) -> Claimed | NoSlot:
        while not stop.is_set():
            if not still_wanted():
                return NotWanted()
            answer = self._limiter.ask()
            if isinstance(answer, Grant):
                if claimed := claim(answer):
                    return claimed
            elif answer.paused and answer.seconds > LONG_PAUSE:
                return Paused(answer.seconds, answer.reason)
            left = deadline - self._clock()
            if left <= 0:
                return TimedOut()
            if isinstance(answer, Wait):
                stop.wait(min(answer.seconds, LOOK_AGAIN, left))
        return Stopped()
