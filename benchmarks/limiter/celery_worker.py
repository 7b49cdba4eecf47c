"""The Celery app whose workers keep a `rate_limit`, each one its own.

What it has to know stands in the environment: `CELERY_SENDS_URL`, `_PORT` and `_RATE`.
"""

import os
import threading
from typing import Any

from celery import Celery
from celery.signals import worker_ready

from benchmarks.limiter.receiver import Sender

QUEUE = "sends"

app = Celery("sends", broker=os.environ.get("CELERY_SENDS_URL"))
app.conf.task_default_queue = QUEUE
app.conf.task_ignore_result = True
app.conf.worker_prefetch_multiplier = 1
_own = threading.local()
_ready: list[Sender] = []


@app.task(name="send", rate_limit=os.environ.get("CELERY_SENDS_RATE"))
def send() -> None:
    """Send once, on the thread's own connection."""
    if not hasattr(_own, "sender"):
        _own.sender = Sender(int(os.environ["CELERY_SENDS_PORT"]))
    _own.sender.send()


@worker_ready.connect
def say_ready(**_facts: Any) -> None:
    """It consumes another queue until it is told to consume this one."""
    sender = Sender(int(os.environ["CELERY_SENDS_PORT"]))
    sender.say_ready()
    _ready.append(sender)
