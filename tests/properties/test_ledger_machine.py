"""In whatever order credits change, none is lost or booked twice, on both databases."""

from datetime import UTC, datetime

import pytest
from flask import Flask
from hypothesis import strategies as st
from hypothesis.stateful import rule

from models import idempotency, ledger, lifecycle
from models.tables import NOT_ENDED, EntryKind, Status
from tests.properties import rows
from tests.properties.machine import given_any, pick, same, times, which
from tests.properties.runs import long_too, run, run_long
from tests.properties.shops import Shops
from tests.properties.things import ALLOTMENT, Shop
from tests.properties.wishes import Wishes
from tests.shop import DEADLINE


class Ledger(Shops, Wishes):
    """Charges, refunds, grants and months, each of them once or twice."""

    @rule(number=which, amount=st.sampled_from([60, -30, 300]), name=st.integers(1, 4))
    def grant(self, number: int, amount: int, name: int) -> None:
        """A reference is booked once, whoever used it before."""
        shop, reference = self.shop(number), f"grant-{name}"
        refusal = self.reference.refusal_of_grant(shop, amount, reference)
        if refusal:
            with pytest.raises(refusal):
                ledger.grant(shop.id, amount, reference)
            return
        shop.book(EntryKind.GRANT, amount, reference)
        assert ledger.grant(shop.id, amount, reference) == shop.balance

    def topped_up(self) -> list[Shop]:
        return [shop for shop in self.reference.shops.values() if not shop.reset_missing]

    @given_any("topped_up")
    @rule(number=which)
    def begin_month(self, number: int) -> None:
        shop = pick(self.topped_up(), number)
        rows.begin_month(shop.id)
        shop.reset_missing = True

    @rule(number=which)
    def reset(self, number: int) -> None:
        """A duplicate, or of a shop that ordered in the meantime, books nothing."""
        shop = self.shop(number)
        ledger.reset_if_due(shop.id)
        shop.reset()

    @rule()
    def reset_all(self) -> None:
        """As the scheduler does: a disabled shop gets nothing."""
        shops = self.reference.shops.values()
        expected = [shop for shop in shops if shop.reset_missing and not shop.disabled]
        assert ledger.instances_to_reset(limit=9) == [shop.id for shop in expected]
        for shop in expected:
            ledger.reset_if_due(shop.id)
            shop.reset()

    @rule(number=which)
    def ask(self, number: int) -> None:
        shop = self.shop(number)
        shop.reset()

        account = ledger.account(shop.id)

        assert (account.balance, account.plan) == (shop.balance, "free")
        assert account.monthly_allotment == ALLOTMENT
        assert account.resets_at.day == 1
        assert account.resets_at > datetime.now(UTC)

    @rule(forgotten=st.booleans())
    def end_day(self, forgotten: bool) -> None:
        """Keys are good for a day, whether or not a sweep has deleted them."""
        kept = any(shop.keys for shop in self.reference.shops.values())
        rows.end_day()
        for shop in self.reference.shops.values():
            shop.keys.clear()
        if forgotten:
            assert idempotency.forget_old() or not kept

    @given_any("due")
    @rule()
    def claim(self) -> None:
        turn = lifecycle.claim_next(DEADLINE)
        assert turn
        self.reference.claimed(self.reference.items[turn.item_id], turn.attempt_id)

    @given_any("attempts")
    @rule(number=which, refund=st.booleans(), times=times)
    def fail(self, number: int, refund: bool, times: int) -> None:
        attempt = pick(self.attempts(), number)
        same(
            times,
            lambda: lifecycle.fail(attempt.id, "model_failed", refund),
            lambda: self.reference.fail(attempt, "model_failed", refund, NOT_ENDED),
        )

    @given_any("attempts")
    @rule(number=which, times=times)
    def finish(self, number: int, times: int) -> None:
        """What succeeded is never given back."""
        attempt = pick(self.attempts(), number)
        key = f"key-{attempt.id}"
        same(
            times,
            lambda: lifecycle.finish(attempt.id, key, "image/png"),
            lambda: self.reference.finish(attempt, key),
        )

    @given_any("waiting")
    @rule(number=which, limit=st.sampled_from([1, 500]), times=times)
    def cancel_waiting(self, number: int, limit: int, times: int) -> None:
        shop = self.shop(number)
        same(
            times,
            lambda: lifecycle.cancel_waiting(shop.id, limit),
            lambda: self.reference.withdraw(self.reference.waiting(shop, limit), Status.CANCELED),
        )

    def charges(self) -> int:
        entries = [entry for shop in self.reference.shops.values() for entry in shop.entries]
        return -sum(amount for kind, amount, _reference in entries if kind == EntryKind.CHARGE)

    @rule()
    def count_charges(self) -> None:
        assert ledger.charged_credits() == self.charges()


@pytest.mark.lengthy
@long_too
def test_no_order_of_bookings_loses_a_credit(bare_app: Flask, long: bool) -> None:
    if long:
        run_long(Ledger, bare_app, examples=200, steps=60)
    else:
        run(Ledger, bare_app, examples=6, steps=30)
