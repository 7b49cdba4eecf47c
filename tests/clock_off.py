"""Run a program with a clock that is off: `python -m tests.clock_off SECONDS MODULE WORD…`.

What Python code of the process hears of the time is shifted; the monotonic clock is right, as it
would be in a container whose wall clock is wrong. `datetime` is written in C and takes no new
attributes, so its methods are changed where the class keeps them.
"""

import ctypes
import gc
import runpy
import sys
import time
from datetime import UTC, date, datetime, timedelta, tzinfo


def shift(seconds: float) -> None:
    """From now on this process's wall clock is `seconds` ahead."""
    real, real_now = time.time, datetime.now
    ahead = timedelta(seconds=seconds)

    def now(_cls: type, tz: tzinfo | None = None) -> datetime:
        return real_now(tz) + ahead

    def moment() -> float:
        return real() + seconds

    vars(time).update(time=moment, time_ns=lambda: int(moment() * 1e9))
    utcnow = classmethod(lambda cls: now(cls, UTC).replace(tzinfo=None))
    _change(datetime, now=classmethod(now), utcnow=utcnow, today=classmethod(now))
    _change(date, today=classmethod(lambda cls: now(cls).date()))


def _change(kind: type, **methods: object) -> None:
    (attributes,) = gc.get_referents(kind.__dict__)
    attributes.update(methods)
    ctypes.pythonapi.PyType_Modified(ctypes.py_object(kind))


if __name__ == "__main__":
    _, seconds, module, *words = sys.argv
    shift(float(seconds))
    sys.argv = [module, *words]
    runpy.run_module(module, run_name="__main__", alter_sys=True)
