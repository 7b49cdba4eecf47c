"""Whatever happens in whatever order, an image's life keeps the promises, on both databases."""

import pytest
from flask import Flask
from hypothesis.stateful import precondition, rule

from models.tables import FINAL
from tests.properties.machine import given_any
from tests.properties.runs import long_too, run, run_long
from tests.properties.shops import MOST_JOBS, Shops
from tests.properties.sweeps import Sweeps
from tests.properties.things import OPEN, Item
from tests.properties.wishes import Wishes


class Lifecycle(Shops, Wishes, Sweeps):
    """Shops, workers, followers and sweeps in any order, dying and coming back at any moment."""

    def open_items(self) -> list[Item]:
        return [item for item in self.items() if item.status in OPEN]

    @precondition(lambda self: len(self.reference.jobs) == MOST_JOBS)
    @given_any("open_items")
    @rule()
    def leave_it_alone(self) -> None:
        """While nothing breaks, every image comes to its end, and no prediction is left over."""
        while self.open_items():
            before = self.reference.tables()
            self._work()
            assert self.reference.tables() != before
        self.ask_again()
        self.cancel_unwanted(answered=True)

        assert {job.status for job in self.reference.jobs.values()} <= set(FINAL)

    def _work(self) -> None:
        """What a sweep, a follower and a worker do one after the other."""
        for attempt in self.creating():
            self._vanish(attempt, "deadline")
        self.reconcile(newest_first=True, refund=False)
        for _ in self.doubtless():
            self.follow(0, "succeeded", refund=False)
        self._end_pauses(self.resting())
        for shop in self.reference.shops.values():
            self._make_due(shop, limit=500, times=1)
            if shop.disabled:
                self._cancel_waiting(shop, limit=500, times=1)
        self.claim()
        if self.unsent():
            self.create(0)
            self.note(0, times=1)


@pytest.mark.lengthy
@long_too
def test_no_order_of_events_breaks_a_promise(bare_app: Flask, long: bool) -> None:
    if long:
        run_long(Lifecycle, bare_app, examples=200, steps=80)
    else:
        run(Lifecycle, bare_app, examples=8, steps=40)
