"""Points of an image's life at which a worker dies or freezes, once.

A worker gets them with `--include tests.failpoints`. FAILPOINT names the point, FAILPOINT_SIGNAL
what the process does to itself there, and FAILPOINT_MARKER the file that the first arrival makes:
later ones, also of other processes, pass. Nothing in the service knows of this; the process's own
gear is wrapped, part by part.
"""

import os
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kombu.transport.redis import QoS

from tasks.gear import gear
from tasks.limiter import Wait
from tasks.optimize import Started


@dataclass(frozen=True)
class Place:
    """Before or after a call of a part of the gear; `after` looks at what the call returned."""

    part: str
    method: str
    after: Callable[[object], bool] | None = None


def _always(_result: object) -> bool:
    return True


CREATE = "create_image_optimization_prediction"
POINTS = {
    "waiting for a slot": Place("limiter", "ask", lambda answer: isinstance(answer, Wait)),
    "claimed": Place("slots", "acquire", lambda outcome: isinstance(outcome, Started)),
    "about to send": Place("limiter", "is_fresh"),
    "answered": Place("replicate", CREATE, _always),
    "noted": Place("waker", "follow"),
    "before asking": Place("replicate", "get_prediction"),
    "asked": Place("replicate", "get_prediction", _always),
    "downloaded": Place("downloader", "download_result", _always),
    "stored": Place("storage", "put", _always),
}
# Not of an image's life: kombu gives back a dead worker's message, under a lock of its own.
GIVING_BACK = "giving back a message"


@dataclass(frozen=True)
class Failpoint:
    """One place, what happens to the process there, and the file that says that it has."""

    place: Place
    how: signal.Signals
    marker: Path

    def arm(self, part: object) -> None:
        """Put it around that one method."""
        real = getattr(part, self.place.method)
        setattr(part, self.place.method, self._around(real))

    def _around(self, real: Callable[..., object]) -> Callable[..., object]:
        def call(*args: object, **kwargs: object) -> object:
            if self.place.after is None:
                self._reach()
            result = real(*args, **kwargs)
            if self.place.after and self.place.after(result):
                self._reach()
            return result

        return call

    def _reach(self) -> None:
        try:
            self.marker.touch(exist_ok=False)
        except FileExistsError:
            return
        # To this thread: sent to the process, the stop might meet another thread first.
        signal.pthread_kill(threading.get_ident(), self.how)


def _arm(name: str, how: signal.Signals, marker: Path) -> None:
    if name == GIVING_BACK:
        Failpoint(Place("", "restore_by_tag"), how, marker).arm(QoS)
    else:
        place = POINTS[name]
        Failpoint(place, how, marker).arm(getattr(gear(), place.part))


if name := os.environ.get("FAILPOINT"):
    signal_name, marker = os.environ["FAILPOINT_SIGNAL"], os.environ["FAILPOINT_MARKER"]
    _arm(name, signal.Signals[signal_name], Path(marker))
