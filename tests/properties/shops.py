"""What shops and their operators do, in any order."""

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from models import accounts, lifecycle, reports
from models.orders import JobOrder, Receipt
from tests.properties.machine import Machine, given_any, pick, times, which
from tests.properties.things import Shop
from tests.shop import PRICE, order

# The promises are checked job by job after every step: more jobs would only make it slow.
MOST_JOBS = 6
some = st.integers(1, 3)
prices = st.sampled_from([PRICE, 40])
keys = st.sampled_from([None, "k1"])


class Shops(Machine):
    """Orders with and without keys, until a shop is disabled."""

    @initialize(numbers=st.lists(which, min_size=1, max_size=3), images=some, key=keys)
    def open_shops_and_order(self, numbers: list[int], images: int, key: str | None) -> None:
        self.open_shops()
        for number in numbers:
            self._submit(self.shop(number), order(images), PRICE, key, times=1)

    @precondition(lambda self: len(self.reference.jobs) < MOST_JOBS)
    @rule(
        number=which,
        images=some,
        product=st.sampled_from(["cup", "mug"]),
        key=keys,
        price=prices,
        times=times,
    )
    def submit(
        self, number: int, images: int, product: str, key: str | None, price: int, times: int
    ) -> None:
        self._submit(self.shop(number), order(images, product), price, key, times)

    def used(self) -> list[tuple[Shop, str, JobOrder]]:
        """The keys that were ever used, each with its order."""
        if len(self.reference.jobs) > MOST_JOBS:
            return []
        shops = self.reference.shops.values()
        return [(shop, key, wish) for shop in shops for key, wish in shop.used]

    @given_any("used")
    @rule(number=which, price=prices, changed=st.booleans())
    def submit_again(self, number: int, price: int, changed: bool) -> None:
        """With a key that was used before, perhaps for another order, perhaps days ago."""
        shop, key, wish = pick(self.used(), number)
        if changed:
            wish = order(1 + len(wish.images) % 3, wish.product_id)
        self._submit(shop, wish, price, key, times=1)

    def _submit(self, shop: Shop, wish: JobOrder, price: int, key: str | None, times: int) -> None:
        for _ in range(times):
            answer = self.reference.answer(shop, wish, price * len(wish.images), key)
            if isinstance(answer, type):
                with pytest.raises(answer):
                    lifecycle.submit(shop.id, wish, price, key)
                return
            receipt = lifecycle.submit(shop.id, wish, price, key)
            self._check(receipt, answer)
            if answer is None:
                self._accepted(shop, wish, price, key, receipt)

    def _check(self, receipt: Receipt, first: Receipt | None) -> None:
        assert receipt.replayed == (first is not None)
        assert first is None or receipt.to_json() == first.to_json()

    def _accepted(
        self, shop: Shop, wish: JobOrder, price: int, key: str | None, receipt: Receipt
    ) -> None:
        items = [item.id for item in reports.items(receipt.job.id)]
        urls = [image.image_url for image in wish.images]
        self.reference.ordered(shop, urls, price, receipt.job.id, items)
        assert receipt.credits_used == price * len(items)
        assert receipt.credits_remaining == shop.balance
        if key:
            shop.keys[key] = (wish, receipt)
            shop.used.append((key, wish))

    def active(self) -> list[Shop]:
        """One of them stays, or nothing would happen any more."""
        return [shop for shop in self.reference.shops.values() if not shop.disabled][1:]

    @given_any("active")
    @rule(number=which)
    def disable(self, number: int) -> None:
        shop = pick(self.active(), number)
        accounts.disable(shop.name)
        shop.disabled = True
