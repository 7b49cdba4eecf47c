"""Ctrl-C, and being asked to stop: the first one unwinds the program, later ones change nothing."""

import signal
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped(BaseException):
    """Somebody wants everything to stop. Like KeyboardInterrupt it is no error."""


def listen() -> None:
    """Raise `Stopped` in the main thread at the first signal."""
    for number in SIGNALS:
        signal.signal(number, _stop)


def hush() -> None:
    """From now on nothing interrupts the stopping."""
    for number in SIGNALS:
        signal.signal(number, _no_more)


def _stop(_number: int, _frame: FrameType | None) -> None:
    hush()
    raise Stopped


def _no_more(_number: int, _frame: FrameType | None) -> None:
    """It is stopping already."""
