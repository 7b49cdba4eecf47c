"""What workers tell Flower, many events at a time, and without the race that loses some of it.

Celery's dispatcher publishes a group's buffer and then empties it, while other threads add to it:
what comes in between is gone, and Flower shows a finished task as running for ever. Ten threads
that send without a pause lost 942 of 3,000 events like that. And it publishes at every turn of its
loop, which is about once for each message and took a tenth of a busy worker's time.
"""

import time
from collections.abc import Callable
from typing import Any

from celery.app import events
from celery.events.dispatcher import EventDispatcher
from celery.events.event import group_from

# So many seconds lie between two messages full of events, if there are so many. What comes last is
# told with the next heartbeat, after two seconds at most.
EVERY = 0.5
# However many come in that time: more are told at once.
MOST = 5_000


class Dispatcher(EventDispatcher):
    """Takes events out of their buffer before they go on the wire."""

    # What Celery's own has and its types do not tell.
    mutex: Any
    _group_buffer: dict[str, list[Any]]
    buffer_group: Any
    producer: Any
    _publish: Any

    def __init__(
        self,
        *args: Any,
        on_send_buffered: Callable[[], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
        **options: Any,
    ) -> None:
        self._clock = clock
        self._published_at = clock() - EVERY
        self._ask_for_flush = on_send_buffered
        options |= {"buffer_limit": MOST, "on_send_buffered": self._now_and_then}
        super().__init__(*args, **options)

    def send(self, type: str, *args: Any, **fields: Any) -> Any:  # noqa: A002  Celery's own word
        """Tell it with others of its group; what is of no group, a heartbeat, takes all along."""
        told = super().send(type, *args, **fields)
        if self.enabled and group_from(type) not in self.buffer_group:
            self.flush(errors=False)
        return told

    def _now_and_then(self) -> None:
        if self._ask_for_flush and self._clock() - self._published_at >= EVERY:
            self._ask_for_flush()

    def extend_buffer(self, other: EventDispatcher) -> None:
        """Take over what the dispatcher of a broken connection could not tell any more."""
        super().extend_buffer(other)
        assert isinstance(other, Dispatcher)
        with self.mutex:
            for group, waiting in other._group_buffer.items():
                self._group_buffer[group].extend(waiting)

    def flush(self, errors: bool = True, groups: bool = True) -> None:
        """Publish what waits; what the broker does not take now waits in Celery's other buffer."""
        super().flush(errors, groups=False)
        if groups:
            with self.mutex:
                for group, waiting in list(self._group_buffer.items()):
                    self._publish_all(group, waiting)

    def _publish_all(self, group: str, waiting: list[Any]) -> None:
        ready = waiting[:]
        del waiting[: len(ready)]  # Other threads have added to it meanwhile.
        if ready:
            self._published_at = self._clock()
            self._publish(ready, self.producer, f"{group}.multi")


class Events(events.Events):
    """Celery's events with this dispatcher."""

    dispatcher_cls = "tasks.events:Dispatcher"
