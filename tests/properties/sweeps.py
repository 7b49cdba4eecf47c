"""What dies, and the sweeps that repair it."""

from hypothesis import strategies as st
from hypothesis.stateful import rule

from models import following, lifecycle, strays
from models.following import Doubt
from models.tables import IN_DOUBT, AttemptStatus, Status
from tests.properties import rows
from tests.properties.followers import Followers
from tests.properties.machine import given_any, pick, same, times, which
from tests.properties.things import Attempt, Item, Shop
from tests.properties.workers import Workers


class Sweeps(Workers, Followers):
    """Time runs out behind the back of whoever died; sweeps and webhooks find what is left."""

    vanished = 0

    @given_any("creating")
    @rule(number=which, ago=st.sampled_from(["lease", "deadline", "hour"]))
    def vanish(self, number: int, ago: str) -> None:
        """A worker is never heard of again; or it is, by any rule that takes any attempt."""
        self._vanish(pick(self.creating(), number), ago)

    def _vanish(self, attempt: Attempt, ago: str) -> None:
        self.vanished += 1
        attempt.lease_over = self.vanished
        attempt.overdue |= ago != "lease"
        attempt.forgotten |= ago == "hour"
        rows.run_out(attempt.id, overdue=attempt.overdue, forgotten=attempt.forgotten)

    def in_doubt(self) -> list[Attempt]:
        return [attempt for attempt in self.creating() if attempt.lease_over]

    @given_any("in_doubt")
    @rule(newest_first=st.booleans(), refund=st.booleans())
    def reconcile(self, newest_first: bool, refund: bool) -> None:
        doubts = following.creates_in_doubt(limit=100)

        expected = [attempt.id for attempt in self.in_doubt()]
        assert sorted(doubt.attempt_id for doubt in doubts) == expected
        for doubt in doubts:
            self._settle(doubt, newest_first, refund)

    def _settle(self, doubt: Doubt, newest_first: bool, refund: bool) -> None:
        attempt = self.reference.attempts[doubt.attempt_id]
        assert (doubt.overdue, doubt.forgotten) == (attempt.overdue, attempt.forgotten)
        unclaimed = self.outside.unclaimed(self.reference, attempt.item.url)
        if doubt.forgotten:
            assert lifecycle.fail(attempt.id, "result_lost", True, IN_DOUBT)
            assert self.reference.fail(attempt, "result_lost", True, IN_DOUBT)
        elif unclaimed:
            prediction = unclaimed[-1 if newest_first else 0].id
            assert lifecycle.adopt(attempt.id, prediction)
            assert self.reference.adopt(attempt, prediction)
        elif doubt.overdue:
            self._give_up(attempt, refund, IN_DOUBT)

    @given_any("predictions")
    @rule(number=which, other=which, times=times)
    def adopt(self, number: int, other: int, times: int) -> None:
        """By a webhook before the create's own answer, or by a sweep whose knowledge is old."""
        prediction = pick(self.predictions(), number)
        alike = [a for a in self.attempts() if a.item.url == prediction.input]
        looked_at = [a for a in alike if a.lease_over or a.status != AttemptStatus.CREATING]
        attempt = pick([*looked_at, prediction.maker], other)
        same(
            times,
            lambda: lifecycle.adopt(attempt.id, prediction.id),
            lambda: self.reference.adopt(attempt, prediction.id),
        )

    @given_any("predictions")
    @rule(number=which, times=times)
    def trace(self, number: int, times: int) -> None:
        """A webhook tells which attempt made a prediction that it may not want."""
        prediction = pick(self.predictions(), number)
        same(
            times,
            lambda: strays.trace(prediction.maker.id, prediction.id),
            lambda: self.reference.trace(prediction.maker, prediction.id),
        )

    def unwanted(self) -> list[Attempt]:
        return [attempt for attempt in self.attempts() if attempt.unwanted is not None]

    @given_any("unwanted")
    @rule(answered=st.booleans())
    def cancel_unwanted(self, answered: bool) -> None:
        taken = strays.take_unwanted(limit=100)

        expected = [attempt for attempt in self.unwanted() if attempt.unwanted]
        assert sorted(taken) == [(each.id, each.prediction) for each in expected]
        for attempt in expected:
            attempt.unwanted = False
            if answered:
                self._cancel(attempt)

    def _cancel(self, attempt: Attempt) -> None:
        assert attempt.prediction
        self.outside.cancel(attempt.prediction)
        strays.confirm_end(attempt.id, attempt.prediction)
        attempt.unwanted = None

    @given_any("unwanted")
    @rule()
    def ask_again(self) -> None:
        rows.ask_again()
        for attempt in self.unwanted():
            attempt.unwanted = True

    @given_any("resting")
    @rule(number=which)
    def end_pause(self, number: int) -> None:
        self._end_pauses([pick(self.resting(), number)])

    def _end_pauses(self, items: list[Item]) -> None:
        rows.end_pauses(item.id for item in items)
        for item in items:
            item.rested = True

    # The one that is always possible: without any a machine could not go on.
    @rule(number=which, limit=st.sampled_from([500, 1]), times=times)
    def make_due(self, number: int, limit: int, times: int) -> None:
        self._make_due(self._shop_with(self.resting(), number), limit, times)

    def _shop_with(self, items: list[Item], number: int) -> Shop:
        """The shop of one of these items; any if there are none."""
        return pick(items, number).job.shop if items else self.shop(number)

    def _make_due(self, shop: Shop, limit: int, times: int) -> None:
        same(
            times,
            lambda: lifecycle.make_due(shop.id, limit),
            lambda: self.reference.make_due(shop, limit),
        )

    @given_any("waiting")
    @rule(number=which, chosen=st.lists(which, max_size=6), times=times)
    def expire(self, number: int, chosen: list[int], times: int) -> None:
        """By a list that may be old, or name another shop's items, which stay as they are."""
        shop, every = self.shop(number), sorted(self.items(), key=lambda item: item.waits)
        named = [*self.resting(), *(pick(every, each) for each in chosen)]
        own = {item.id: item for item in named if item.job.shop is shop}
        same(
            times,
            lambda: lifecycle.expire(shop.id, [item.id for item in named]),
            lambda: self.reference.withdraw(own.values(), Status.FAILED, "expired"),
        )

    @given_any("waiting")
    @rule(number=which, limit=st.sampled_from([1, 2, 500]), times=times)
    def cancel_waiting(self, number: int, limit: int, times: int) -> None:
        self._cancel_waiting(self.shop(number), limit, times)

    def _cancel_waiting(self, shop: Shop, limit: int, times: int) -> None:
        same(
            times,
            lambda: lifecycle.cancel_waiting(shop.id, limit),
            lambda: self.reference.withdraw(self.reference.waiting(shop, limit), Status.CANCELED),
        )
