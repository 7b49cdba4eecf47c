"""Sending messages: they wake workers, and the database holds what there is to do.

So a message may get lost: sending is bounded to half a second and tried once, and a broker that is
down is a line in the log. The sweep sends again what is missing.
"""

from typing import Any

import redis
import structlog
from kombu.exceptions import KombuError
from kombu.pools import ProducerPool
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from tasks import alike
from tasks.celery import app

log = structlog.get_logger(__name__)

# A new connection costs at most a connect and a greeting, and then the messages go in one write:
# three waits of this length stay below the half second that a POST may lose.
SOCKET_TIMEOUT = 0.15
POOL_TIMEOUT = 0.1
POOL_SIZE = 50
# A message with a countdown is held unacknowledged by a worker: it must be shorter than the
# `visibility_timeout` (celeryconfig.py), or Redis would hand it out again and again.
LONGEST_COUNTDOWN = 30.0
# As many messages as the sweep keeps in the queue: more would wait there for nothing.
MOST_FOR_BATCH = 500
TASK = "optimize-next-image"


class Waker:
    """Sends this process's messages; thread-safe, connects when it first sends."""

    def __init__(self, redis_url: str) -> None:
        connection = app.connection_for_write(
            url=redis_url,
            transport_options={
                **app.conf.broker_transport_options,
                "socket_timeout": SOCKET_TIMEOUT,
                "socket_connect_timeout": SOCKET_TIMEOUT,
                "max_retries": 0,
            },
        )
        self._producers = ProducerPool(connection.Pool(POOL_SIZE), limit=POOL_SIZE)
        self._redis = redis.Redis.from_url(
            redis_url,
            socket_timeout=SOCKET_TIMEOUT,
            socket_connect_timeout=SOCKET_TIMEOUT,
            retry=Retry(NoBackoff(), 0),
        )

    def wake_workers(self, job_id: int, images: int) -> None:
        """Say that `images` more images are due, because of a new job."""
        self.top_up(images, f"woken by job {job_id}")

    def wake_for_batch(self, batch_id: int, images: int) -> None:
        """Say so for a batch; what is more than fits is announced as the queue gets shorter."""
        self.top_up(min(images, MOST_FOR_BATCH), f"woken by batch {batch_id}")

    def top_up(self, images: int, why: str) -> None:
        """Say that so many images are due, in one write."""
        if not images:
            return
        try:
            alike.publish(self._redis, TASK, images, why)
        except RedisError as error:
            log.warning("message not sent", task=TASK, times=images, error=str(error))

    def follow(self, attempt_id: int, check: int, seconds: float = 0.0) -> bool:
        """Have an attempt's prediction asked about for the `check`-th time, in `seconds`. False
        when the sweep has to do it: that is long, or the broker did not take the message."""
        if seconds > LONGEST_COUNTDOWN:
            return False
        shown = f"attempt {attempt_id}, check {check}"
        return self._send(
            "collect-prediction", args=(attempt_id, check), argsrepr=shown, countdown=seconds
        )

    def heed(self, reference: str, prediction_id: str) -> bool:
        """Hand a webhook over; False when the broker did not take it. Flower shows no reference."""
        return self._send(
            "heed-webhook", args=(reference, prediction_id), argsrepr=f"({prediction_id!r},)"
        )

    def announce(self, seconds: float = 0.0) -> None:
        """Have the queue filled up with what is due in `seconds`; the sweep does it later too."""
        if seconds <= LONGEST_COUNTDOWN:
            self._send("announce-due-items", countdown=seconds)

    def deliver(self, seconds: float = 0.0) -> None:
        """Have the webhooks that are due sent in `seconds`; the sweep does it later too."""
        if seconds <= LONGEST_COUNTDOWN:
            self._send("deliver-webhooks", countdown=seconds)

    def sweep(self) -> None:
        """Ask for a sweep; one that was made just now is enough."""
        self._send("sweep", expires=LONGEST_COUNTDOWN)

    def _send(self, task: str, **message: Any) -> bool:
        """Publish one message; False when the broker did not take it."""
        try:
            with self._producers.acquire(block=True, timeout=POOL_TIMEOUT) as producer:
                app.send_task(task, producer=producer, retry=False, **message)
        except (KombuError, OSError) as error:
            log.warning("message not sent", task=task, error=str(error))
            return False
        return True
