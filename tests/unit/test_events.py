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

    def publish(self, events: list[Any], **_options: Any) -> None:
        self.published.append(list(events))
        self._meanwhile()

    @property
    def numbers(self) -> list[int]:
        """The numbers of all events that were published."""
        return [event["number"] for events in self.published for event in events]


@pytest.fixture
def told() -> Dispatcher:
    made = Dispatcher(Connection("memory://"), app=app, enabled=False, buffer_group=["task"])
    made.enabled = True
    return made


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


def test_what_the_broker_does_not_take_waits(told: Dispatcher) -> None:
    def break_down() -> None:
        raise ConnectionError("the broker is away")

    told.producer = Wire(break_down)
    told.send("task-received", number=1)
    told.flush()

    told.producer = wire = Wire(lambda: None)
    told.flush()

    assert wire.numbers == [1]
