"""Where a worker's CPU goes: what each thread spends within which layer, to the microsecond.

`metering.py` has it read the thread's own CPU clock as a layer (`layers.py`) is entered and left,
so waiting counts nothing, whoever waits for what, and a layer's figure is without the layers that
it calls. Nothing is sampled: a thread that samples others of its process gets its turn only where
they let go of the interpreter, and would see them there too often.
"""

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import wraps
from typing import Any

from benchmarks.worker.names import AROUND, LOOP, NATIVE


class _Account:
    """One thread's sums; only that thread writes them."""

    def __init__(self) -> None:
        self.sums: defaultdict[str, float] = defaultdict(float)
        self.open: list[str] = []
        self.mark = 0.0


class Meter:
    """The sums of all threads. `clock` tells the CPU that the calling thread has used, seconds."""

    def __init__(self, clock: Callable[[], float] = time.thread_time) -> None:
        self._clock = clock
        self._own = threading.local()
        self._accounts: dict[int, _Account] = {}

    @contextmanager
    def within(self, layer: str) -> Iterator[None]:
        """What the calling thread spends in here is this layer's, and no other's meanwhile."""
        account = self._account()
        self._charge(account)
        account.open.append(layer)
        try:
            yield
        finally:
            self._charge(account)
            account.open.pop()

    def sums(self) -> dict[int, dict[str, float]]:
        """The seconds of each thread by layer, as far as it has left or entered one."""
        return {thread: dict(account.sums) for thread, account in list(self._accounts.items())}

    def wrap(self, layer: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, charged to the layer."""

        @wraps(function)
        def run(*args: Any, **named: Any) -> Any:
            with self.within(layer):
                return function(*args, **named)

        return run

    def wrap_context(
        self, layer: str, function: Callable[..., AbstractContextManager[Any]]
    ) -> Callable[..., AbstractContextManager[Any]]:
        """The same for a function that returns a context: charged are its body and its ends."""

        @contextmanager
        def run(*args: Any, **named: Any) -> Iterator[Any]:
            with self.within(layer), function(*args, **named) as value:
                yield value

        return run

    def _account(self) -> _Account:
        account: _Account | None = getattr(self._own, "account", None)
        if account is None:
            account = self._own.account = _Account()
            self._accounts[threading.get_ident()] = account
        return account

    def _charge(self, account: _Account) -> None:
        now = self._clock()
        if account.open:
            account.sums[account.open[-1]] += now - account.mark
        account.mark = now


def by_layer(
    process: float, main: int, threads: dict[int, float], sums: dict[int, dict[str, float]]
) -> dict[str, float]:
    """All CPU of a process by layer, from that of its `threads` and what was charged of it.

    What the main thread spends in no layer is Celery's loop, and what the pool's threads do is
    Celery's way into a task and out of it. What no Python thread spent, threads of libraries did.
    """
    total: defaultdict[str, float] = defaultdict(float)
    for thread, spent in threads.items():
        charged = sums.get(thread, {})
        for layer, seconds in charged.items():
            total[layer] += seconds
        outside = LOOP if thread == main else AROUND
        total[outside] += spent - sum(charged.values())
    total[NATIVE] += process - sum(threads.values())
    return dict(total)
