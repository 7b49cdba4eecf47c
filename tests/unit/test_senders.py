"""Few threads of a process send webhooks, and never two for one instance."""

from collections.abc import Collection
from contextlib import ExitStack
from typing import cast

from models.sending import Try
from tasks.senders import Senders


class Due:
    """What is due: an instance for each try, taken by whoever asks for one that is not busy."""

    def __init__(self, *instances: int) -> None:
        self.instances = list(instances)

    def take(self, busy: Collection[int]) -> Try | None:
        free = next((each for each in self.instances if each not in busy), None)
        return None if free is None else cast("Try", Named(free))


class Named:
    """All that `Senders` knows of a try."""

    def __init__(self, instance_id: int) -> None:
        self.instance_id = instance_id


def test_most_threads_are_left_to_other_work() -> None:
    found = {}

    for threads in (1, 3, 6, 10, 100):
        senders = Senders(threads)
        with ExitStack() as held:
            taken = [held.enter_context(senders.place()) for _ in range(5)]
        with senders.place() as again:
            found[threads] = (sum(taken), again)

    assert found == {1: (1, True), 3: (1, True), 6: (2, True), 10: (3, True), 100: (3, True)}


def test_an_instance_is_served_by_one_thread_at_a_time() -> None:
    senders, due = Senders(10), Due(1, 1, 2)

    with (
        senders.one(due.take) as first,
        senders.one(due.take) as second,
        senders.one(due.take) as third,
    ):
        chosen = [each and each.instance_id for each in (first, second, third)]
    with senders.one(due.take) as again:
        assert again

    assert chosen == [1, 2, None]
