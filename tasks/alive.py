"""A sign of life for health checks: a file that a worker touches with every heartbeat.

Loaded by `celery worker --include tasks.alive`, where HEALTH_FILE names the file. The heartbeat
comes every 2 s from the loop that takes the messages, so a worker that hangs, or that has lost its
broker, lets the file grow old.
"""

import os
from pathlib import Path
from typing import Any

from celery.signals import heartbeat_sent


@heartbeat_sent.connect
def touch(**_facts: Any) -> None:
    """Make the file new again."""
    if file := os.environ.get("HEALTH_FILE"):
        Path(file).touch()
