"""A process that was told to stop: every wait listens to `stopping`.

Celery's own ways (soft shutdown, time limits, terminate) do nothing in the threads pool, so a
worker ends when its tasks have noticed: each blocking call is bounded below 8 s, and what waits for
longer waits on this event.
"""

import threading
from typing import Any

from celery.signals import worker_shutting_down

stopping = threading.Event()


@worker_shutting_down.connect
def stop(**_facts: Any) -> None:
    """Runs in the signal handler of a worker's main thread."""
    stopping.set()
