"""How much stands in the queues: messages that are ready, and those that workers hold."""

import json
from collections import Counter
from dataclasses import dataclass

import redis

from tasks.celery import app


@dataclass(frozen=True, slots=True)
class Depth:
    """Messages of one queue: `ready` ones wait, `unacked` ones are with a worker."""

    ready: int
    unacked: int

    @property
    def total(self) -> int:
        """Every message that is still going to have an effect."""
        return self.ready + self.unacked


def queue_names() -> list[str]:
    """The queues of `celeryconfig.py`."""
    return [queue.name for queue in app.conf.task_queues]


def depths(client: redis.Redis) -> dict[str, Depth]:
    """The depth of every queue.

    kombu keeps ready messages in a list of the queue's name, and all that workers hold in one hash
    whose values end with the routing key: there are only as many as workers have threads.
    """
    held = Counter(
        json.loads(message)[-1] for _tag, message in client.hscan_iter("unacked", count=500)
    )
    return {name: Depth(ready=int(client.llen(name)), unacked=held[name]) for name in queue_names()}
