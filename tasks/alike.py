"""Many messages of one task that are alike but for their ids.

Celery and kombu make each message anew: for the ten images of a job that takes the API longer than
the transaction that they announce. Here they make one, and its text is used again with other ids:
workers and Flower see no difference. All go with one command into the list that kombu keeps for a
queue (`tasks.queues` counts it).
"""

import json
from functools import cache
from uuid import UUID, uuid4

import redis
from kombu import Connection

from tasks.celery import app

# Stand for what is different in each message: the task's id and the delivery's.
TASK_ID, DELIVERY_TAG = str(UUID(int=1)), str(UUID(int=2))
WHY = "why this is sent"


def publish(client: redis.Redis, task: str, times: int, why: str) -> None:
    """Publish so many messages of a task without arguments. `why` is shown in their place."""
    queue, text = _pattern(task)
    alike = text.replace(json.dumps(WHY), json.dumps(why))
    client.lpush(queue, *(_with_ids(alike) for _ in range(times)))


def _with_ids(text: str) -> str:
    return text.replace(TASK_ID, str(uuid4())).replace(DELIVERY_TAG, str(uuid4()))


@cache
def _pattern(task: str) -> tuple[str, str]:
    """The name of a task's queue, and a message as Celery makes it, sent within this process."""
    queue = app.amqp.router.route({}, task)["queue"]
    with Connection("memory://") as nobody:
        app.send_task(task, task_id=TASK_ID, kwargsrepr=WHY, connection=nobody, retry=False)
        # As kombu would push it: `basic_get` tells what a consumer sees.
        message = nobody.default_channel._get(queue.name)  # type: ignore[attr-defined]
    message["properties"]["delivery_tag"] = DELIVERY_TAG
    # Made within a task, it would be that one's child for ever.
    message["headers"] |= {"root_id": TASK_ID, "parent_id": None}
    return queue.name, json.dumps(message)
