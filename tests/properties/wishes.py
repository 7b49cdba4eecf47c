"""What shops do with jobs that they have ordered: cancel them, and retry what failed."""

from collections.abc import Callable
from typing import TypeVar

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import rule

from models import cancellation, reports, retries
from models.errors import DomainError, NotFound
from models.orders import JobRetry, Receipt
from models.tables import Status
from tests.properties.machine import Machine, given_any, pick, same, times, which
from tests.properties.shops import MOST_JOBS, prices
from tests.properties.things import OPEN, Item, Job, Shop

R = TypeVar("R")

# "k1" is what orders have.
own_keys = st.sampled_from([None, "k2", "k1"])


def told(move: Callable[[], R]) -> R | type[DomainError]:
    """What a move answers, or with what it refuses."""
    try:
        return move()
    except DomainError as error:
        return type(error)


class Wishes(Machine):
    """Any job may be named, one's own or not, at any time."""

    @given_any("items")
    @rule(number=which, whole=st.booleans(), times=times)
    def cancel(self, number: int, whole: bool, times: int) -> None:
        """What was sent is named first, then what waits, then what has ended."""
        rank = {Status.RUNNING: 2, Status.PENDING: 1}
        item = pick(sorted(self.items(), key=lambda each: rank.get(each.status, 0)), number)
        if whole:
            self._cancel_job(item.job, times)
        else:
            self._cancel_item(item, times)

    def _cancel_job(self, job: Job, times: int) -> None:
        same(
            times,
            lambda: told(lambda: cancellation.cancel_job(job.shop.id, job.id)),
            lambda: self.reference.cancel(job.items),
        )

    def _cancel_item(self, item: Item, times: int) -> None:
        job = item.job
        same(
            times,
            lambda: told(lambda: cancellation.cancel_item(job.shop.id, job.id, item.id)),
            lambda: self.reference.cancel([item]),
        )

    @given_any("items")
    @rule(number=which, other=which, stranger=which)
    def cancel_what_is_not_there(self, number: int, other: int, stranger: int) -> None:
        """Another shop's job, or an image of another job."""
        item, job, shop = pick(self.items(), number), pick(self.jobs(), other), self.shop(stranger)
        if item.job.shop is not shop:
            assert told(lambda: cancellation.cancel_job(shop.id, item.job.id)) is NotFound
        if item.job is not job:
            missing = told(lambda: cancellation.cancel_item(job.shop.id, job.id, item.id))
            assert missing is NotFound

    def to_retry(self) -> list[Job]:
        """Those whose failed images may be ordered again."""
        ended = [job for job in self.jobs() if job.status not in OPEN and job.count(Status.FAILED)]
        return [job for job in ended if not self.reference.retried_by(job)]

    @given_any("to_retry")
    @rule(number=which, price=prices, key=own_keys, times=times)
    def retry(self, number: int, price: int, key: str | None, times: int) -> None:
        job = pick(self.to_retry(), number)
        for _ in range(times):
            self._retry(job.shop, job, price, key)

    @given_any("jobs")
    @rule(number=which, shop=which, price=prices, key=own_keys)
    def retry_anything(self, number: int, shop: int, price: int, key: str | None) -> None:
        """Any shop's job, in any state, also one that was retried before."""
        if len(self.reference.jobs) < MOST_JOBS:
            self._retry(self.shop(shop), pick(self.jobs(), number), price, key)

    def _retry(self, shop: Shop, job: Job, price: int, key: str | None) -> None:
        answer = self.reference.answer_to_retry(shop, job, price, key)
        if isinstance(answer, type):
            with pytest.raises(answer):
                retries.retry(shop.id, job.id, price, key)
            return
        receipt = retries.retry(shop.id, job.id, price, key)
        assert receipt.replayed == (answer is not None)
        assert answer is None or receipt.to_json() == answer.to_json()
        if answer is None:
            self._retried(shop, job, price, key, receipt)
        assert retries.retried_by(job.id) == receipt.job.id

    def _retried(self, shop: Shop, job: Job, price: int, key: str | None, receipt: Receipt) -> None:
        items = [item.id for item in reports.items(receipt.job.id)]
        urls = [item.url for item in job.items if item.status == Status.FAILED]
        self.reference.ordered(shop, urls, price, receipt.job.id, items, retry_of=job)
        assert receipt.credits_used == price * len(items)
        assert receipt.credits_remaining == shop.balance
        if key:
            shop.keys[key] = (JobRetry(job.id), receipt)
