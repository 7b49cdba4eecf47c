"""Many threads of one process wait for a slot behind a single one that asks.

All waiters are alike (a slot is not for a certain image), so it does not matter who is served, and
Redis hears one question per process instead of one per thread. The processes stand in line for
their slots, and ask when these have come (`tasks/line.py`).
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Protocol, TypeVar

from models.controls import Terms
from tasks.limiter import Grant, Limiter, LimiterUnavailable, Wait
from tasks.line import Stay

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
        self._counting = threading.Lock()
        self._waiting = 0

    def acquire(
        self,
        stop: Stop,
        still_wanted: Callable[[], Terms | None],
        patience: float,
        claim: Callable[[Grant], Claimed | None],
    ) -> Claimed | NoSlot:
        """Wait for a slot, at most `patience` seconds, and return what `claim` makes of it.

        `claim` runs while the thread is still in front, so that the threads of one process do not
        meet at the same row. When it returns None (it gave the grant back), the wait goes on.

        `still_wanted` tells what operators set of the limit, or None when there is nothing left
        that a slot would be for. It is asked before each question to Redis, about once a second, by
        the front thread alone: it should be one cheap query. What it raises rises from here, as
        does `LimiterUnavailable`.
        """
        deadline = self._clock() + patience
        with self._counted():
            while not stop.is_set():
                if self._front.acquire(timeout=QUEUE_POLL):
                    try:
                        return self._wait_in_front(stop, still_wanted, deadline, claim)
                    finally:
                        self._front.release()
                if self._clock() >= deadline:
                    return TimedOut()
            return Stopped()

    @contextmanager
    def _counted(self) -> Iterator[None]:
        """Be one of those who wait; the last of them gives up the process's place in line."""
        with self._counting:
            self._waiting += 1
        try:
            yield
        finally:
            with self._counting:
                self._waiting -= 1
                last = not self._waiting
            if last:
                # Without its Redis there is no line, and a place that nobody takes goes by itself.
                with suppress(LimiterUnavailable):
                    self._limiter.leave()

    def _wait_in_front(
        self,
        stop: Stop,
        still_wanted: Callable[[], Terms | None],
        deadline: float,
        claim: Callable[[Grant], Claimed | None],
    ) -> Claimed | NoSlot:
        while not stop.is_set():
            terms = still_wanted()
            if terms is None:
                return NotWanted()
            pause = self._limiter.turn_in(terms)
            if pause <= 0:
                answer = self._ask(terms)
                if not isinstance(answer, Grant):
                    if answer.paused and answer.seconds > LONG_PAUSE:
                        return Paused(answer.seconds, answer.reason)
                    pause = answer.seconds
                elif claimed := claim(answer):
                    return claimed
            left = deadline - self._clock()
            if left <= 0:
                return TimedOut()
            stop.wait(min(pause, LOOK_AGAIN, left))
        return Stopped()

    def _ask(self, terms: Terms) -> Grant | Wait:
        """Where others wait behind, the place in line is kept for them."""
        stay = Stay.FOR_ANOTHER if self._waiting > 1 else Stay.UNTIL_GRANTED
        return self._limiter.ask(stay, terms)
