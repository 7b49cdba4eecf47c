"""A process that was told to stop: every wait listens to `stopping`.

Celery's own ways (soft shutdown, time limits, terminate) do nothing in the threads pool, so a
worker ends when its tasks have noticed: each blocking call is bounded below 8 s, and what waits for
longer waits on this event. Celery itself may still wait for a broker that hangs (40 s were seen):
then the process ends anyway. Nothing is lost: the messages come back, and the rows say the rest.
"""

import os
import sys
import threading
from typing import Any

from celery.signals import worker_shutting_down

stopping = threading.Event()
# Orchestrators kill after 10 s.
LONGEST_STOP = 9.0


@worker_shutting_down.connect
def stop(**_facts: Any) -> None:
    """Runs in the signal handler of a worker's main thread."""
    stopping.set()
    last_resort = threading.Timer(LONGEST_STOP, _end)
    last_resort.daemon = True
    last_resort.start()


def _end() -> None:
    sys.stderr.write(f"darkroom: still waiting {LONGEST_STOP:g} s after the stop: ended\n")
    sys.stderr.flush()
    os._exit(1)
