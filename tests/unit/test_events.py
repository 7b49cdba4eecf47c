"""No event that a worker tells is lost between two threads."""

from collections.abc import Callable
from typing import Any

import pytest
from kombu import Connection

from tasks.celery import app
from tasks.events import Dispatcher, Events


class Wire:
    """A producer of Celery's; `meanwhile` is done while it publishes."""

    def __init__(self, meanwhile: Callable[[], None]) -> None:
        self.published: list[list[Any]] = []
        self._meanwhile = meanwhile

    def publish(self, told: Any, **_options: Any) -> None:
        self.published.append(list(told) if isinstance(told, list) else [told])
        self._meanwhile()

    @property
    def numbers(self) -> list[int]:
        """The numbers of all events that were published."""
        return [event["number"] for events in self.published for event in events]


def dispatcher(**options: Any) -> Dispatcher:
    connection, group = Connection("memory://"), ["task"]
    made = Dispatcher(connection, app=app, enabled=False, buffer_group=group, **options)
    made.enabled = True
    return made


@pytest.fixture
def told() -> Dispatcher:
    return dispatcher()


def test_workers_use_it() -> None:
    assert isinstance(app.events, Events)
    assert issubclass(app.events.Dispatcher, Dispatcher)


def test_what_comes_while_others_are_published_is_published_next(told: Dispatcher) -> None:
    late = iter([2])

    def another_thread() -> None:
        for number in late:
            told.send("task-succeeded", number=number)

    told.producer = wire = Wire(another_thread)
    told.send("task-received", number=1)

    told.flush()
    told.flush()

    assert wire.numbers == [1, 2]


def test_many_events_go_in_one_message() -> None:
    now = 100.0
    asked: list[float] = []
    told = dispatcher(on_send_buffered=lambda: asked.append(now), clock=lambda: now)
    told.producer = wire = Wire(lambda: None)

    for number in range(200):
        now += 0.01
        told.send("task-received", number=number)
        if asked[-1] == now:
            told.flush()

    assert [len(events) for events in wire.published] == [1, 50, 50, 50]


def test_a_heartbeat_takes_along_what_waits(told: Dispatcher) -> None:
    told.producer = wire = Wire(lambda: None)
    told.send("task-received", number=1)

    told.send("worker-heartbeat", number=2)

    assert wire.numbers == [2, 1]


def test_what_the_broker_does_not_take_waits(told: Dispatcher) -> None:
    def break_down() -> None:
        raise ConnectionError("the broker is away")

    told.producer = Wire(break_down)
    told.send("task-received", number=1)
    told.flush()

    told.producer = wire = Wire(lambda: None)
    told.flush()

    assert wire.numbers == [1]


def test_what_a_broken_connection_could_not_tell_the_next_one_tells(told: Dispatcher) -> None:
    told.send("task-received", number=1)
    after = dispatcher()
    after.producer = wire = Wire(lambda: None)

    after.extend_buffer(told)
    after.flush()

    assert wire.numbers == [1]
