"""What should be true, in plain Python: every move, and what it should answer.

Written from SPEC.md, not from `models`: no database, no locks, no compare-and-set.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from models.cancellation import Canceled
from models.errors import (
    AlreadyCanceled,
    AlreadyExists,
    AlreadyFinished,
    AlreadyRetried,
    CancelRequested,
    DomainError,
    IdempotencyKeyReused,
    InstanceDisabled,
    InsufficientCredits,
    JobUnfinished,
    NotFound,
    NothingToRetry,
)
from models.orders import JobOrder, JobRetry, Receipt, Requeued
from models.tables import NOT_ENDED, AttemptStatus, EntryKind, Status
from tests.properties.things import ALLOTMENT, OPEN, Attempt, Item, Job, Shop

# A pause between attempts, in multiples of the first.
PAUSES = (1, 3, 9, 27)


class Reference:
    """The whole of it, and the moves."""

    def __init__(self) -> None:
        self.shops: dict[int, Shop] = {}
        self.jobs: dict[int, Job] = {}
        self.items: dict[int, Item] = {}
        self.attempts: dict[int, Attempt] = {}
        self.claims = 0

    def open(self, id: int, name: str) -> None:
        """A shop opens with its first month's credits."""
        self.shops[id] = Shop(id, name)
        self.shops[id].reset()

    def answer(
        self, shop: Shop, order: JobOrder, cost: int, key: str | None
    ) -> type[DomainError] | Receipt | None:
        """What an order is answered: a refusal, the first receipt again, or None for a new one."""
        if key in shop.keys:
            first, receipt = shop.keys[key]
            return receipt if first == order else IdempotencyKeyReused
        if shop.disabled:
            return InstanceDisabled
        credits = max(shop.balance, ALLOTMENT) if shop.reset_missing else shop.balance
        return InsufficientCredits if credits < cost else None

    def answer_to_retry(
        self, shop: Shop, job: Job, price: int, key: str | None
    ) -> type[DomainError] | Receipt | None:
        """The same for a retry of what failed in a job."""
        if key in shop.keys:
            first, receipt = shop.keys[key]
            return receipt if first == JobRetry(job.id) else IdempotencyKeyReused
        if shop.disabled:
            return InstanceDisabled
        if job.shop is not shop:
            return NotFound
        if job.status in OPEN:
            return JobUnfinished
        if self.retried_by(job):
            return AlreadyRetried
        failed = job.count(Status.FAILED)
        credits = max(shop.balance, ALLOTMENT) if shop.reset_missing else shop.balance
        too_few = InsufficientCredits if credits < price * failed else None
        return too_few if failed else NothingToRetry

    def retried_by(self, job: Job) -> Job | None:
        """The job that is a retry of this one."""
        return next((each for each in self.jobs.values() if each.retry_of is job), None)

    def ordered(
        self,
        shop: Shop,
        urls: Sequence[str],
        price: int,
        job_id: int,
        item_ids: Sequence[int],
        retry_of: Job | None = None,
    ) -> None:
        """A new order was accepted."""
        shop.reset()
        job = self.jobs[job_id] = Job(job_id, shop, retry_of=retry_of)
        for id, url in zip(item_ids, urls, strict=True):
            self.items[id] = Item(id, job, url, price)
            job.items.append(self.items[id])
        shop.book(EntryKind.CHARGE, -price * len(urls), f"charge:job:{job_id}")

    def refusal_of_grant(self, shop: Shop, amount: int, reference: str) -> type[DomainError] | None:
        """What is wrong with credits that are added or taken by hand."""
        booked = {entry[2] for each in self.shops.values() for entry in each.entries}
        if reference in booked:
            return AlreadyExists
        return InsufficientCredits if shop.balance + amount < 0 else None

    def due(self, shop: Shop) -> list[Item]:
        """What a shop has waiting without a pause, the oldest first."""
        own = [item for item in self.items.values() if item.job.shop is shop]
        return [item for item in own if item.waits and item.due]

    def next_item(self) -> Item | None:
        """The oldest due item of the shop that was served longest ago; a disabled one is not."""
        active = [shop for shop in self.shops.values() if not shop.disabled]
        waiting = [shop for shop in active if self.due(shop)]
        if not waiting:
            return None
        return self.due(min(waiting, key=lambda shop: (shop.served, shop.id)))[0]

    def claimed(self, item: Item, attempt_id: int) -> None:
        """An item was given to a new attempt."""
        self.claims += 1
        item.job.started, item.job.shop.served = True, self.claims
        item.status, item.holder = Status.RUNNING, attempt_id
        self.attempts[attempt_id] = Attempt(attempt_id, item)

    def owner(self, prediction: str) -> Attempt | None:
        """The attempt that has a prediction."""
        every = self.attempts.values()
        return next((each for each in every if each.prediction == prediction), None)

    def adopt(self, attempt: Attempt, prediction: str) -> bool:
        """Only an attempt without a prediction gets one, and only one that is nobody's."""
        free = attempt.status == AttemptStatus.CREATING and not self.owner(prediction)
        if free:
            attempt.gets(prediction)
        return free

    def note(self, attempt: Attempt, prediction: str) -> bool:
        """What comes too late for its attempt is given to one in doubt with the same input.

        False: nobody waits for it; an attempt that has ended remembers it.
        """
        twins = [each for each in self.attempts.values() if each.is_twin_of(attempt)]
        longest = sorted(twins, key=lambda twin: twin.lease_over or 0)[:1]
        given = any(self.adopt(each, prediction) for each in [attempt, *longest])
        if given or self.owner(prediction):
            return True
        self.trace(attempt, prediction)
        return False

    def trace(self, attempt: Attempt, prediction: str) -> bool:
        """An attempt that has ended without a prediction remembers one that nobody wants."""
        ended = attempt.status == AttemptStatus.ENDED and attempt.prediction is None
        if not ended or self.owner(prediction):
            return False
        attempt.prediction, attempt.unwanted = prediction, True
        return True

    def take_check(self, attempt: Attempt, number: int) -> bool:
        """Each number is given once, in order, while there is something to ask about."""
        if attempt.status != AttemptStatus.CREATED or number != attempt.checks + 1:
            return False
        attempt.checks = number
        return True

    def finish(self, attempt: Attempt, result: str) -> bool:
        if attempt.status not in NOT_ENDED:
            return False
        self._end(attempt, "succeeded")
        attempt.item.status, attempt.item.result = Status.DONE, result
        return True

    def fail(
        self, attempt: Attempt, code: str, refund: bool, states: Sequence[AttemptStatus]
    ) -> bool:
        return self._fail(attempt, code, code, refund, states)

    def _fail(
        self,
        attempt: Attempt,
        outcome: str,
        code: str,
        refund: bool,
        states: Sequence[AttemptStatus],
    ) -> bool:
        if attempt.status not in states:
            return False
        self._end(attempt, outcome)
        attempt.item.status, attempt.item.code = Status.FAILED, code
        if refund:
            self._refund(attempt.item)
        return True

    def requeue(
        self,
        attempt: Attempt,
        outcome: str,
        backoff: float,
        attempts: int,
        code: str,
        refund: bool,
        states: Sequence[AttemptStatus],
    ) -> Requeued:
        """Without a pause it costs nothing; the last of `attempts` fails the item. One that its
        shop wants canceled is canceled instead, for free unless Replicate had canceled it."""
        item = attempt.item
        if attempt.status not in states:
            return Requeued(False, None)
        if item.unwanted:
            self._end(attempt, outcome)
            item.status = Status.CANCELED
            if outcome != "canceled":
                self._refund(item)
            return Requeued(True, None, canceled=True)
        if backoff and item.failures + 1 >= attempts:
            return Requeued(self._fail(attempt, outcome, code, refund, states), None)
        self._end(attempt, outcome)
        item.status, item.due, item.rested = Status.PENDING, not backoff, False
        item.failures += 1 if backoff else 0
        return Requeued(True, backoff * PAUSES[item.failures - 1] if backoff else 0.0)

    def make_due(self, shop: Shop, limit: int) -> int:
        """The oldest of a shop's items whose pause is over."""
        own = [item for item in self.items.values() if item.job.shop is shop]
        rested = [item for item in own if item.waits and not item.due and item.rested][:limit]
        for item in rested:
            item.due = True
        return len(rested)

    def withdraw(self, items: Iterable[Item], status: Status, code: str | None = None) -> int:
        """Those that wait become final and cost nothing; return how many."""
        waiting = [item for item in items if item.waits]
        for item in sorted(waiting, key=lambda each: (each.job.id, each.id)):
            item.status, item.code = status, code
            self._refund(item)
        return len(waiting)

    def cancel(self, items: Sequence[Item]) -> type[DomainError] | Canceled:
        """What waits ends at once, what was sent is wished to end."""
        waiting = [item for item in items if item.waits]
        running = [item for item in items if item.status == Status.RUNNING]
        sent = [item for item in running if not item.unwanted]
        if not waiting and not sent:
            return CancelRequested if running else self._how_they_ended(items)
        self.withdraw(waiting, Status.CANCELED)
        for item in sent:
            item.unwanted = True
        followed = [
            each for each in self.attempts.values() if each.item in sent and each.prediction
        ]
        alive = [each for each in followed if each.status == AttemptStatus.CREATED]
        return Canceled(len(waiting), len(running), [(each.id, each.checks + 1) for each in alive])

    def _how_they_ended(self, items: Sequence[Item]) -> type[DomainError]:
        """As a job's status says it: DONE before CANCELED before FAILED."""
        statuses = {item.status for item in items}
        canceled = Status.DONE not in statuses and Status.CANCELED in statuses
        return AlreadyCanceled if canceled else AlreadyFinished

    def waiting(self, shop: Shop, limit: int) -> list[Item]:
        """A shop's oldest items that wait, the due ones first."""
        own = [item for item in self.items.values() if item.job.shop is shop and item.waits]
        return sorted(own, key=lambda item: (not item.due, item.id))[:limit]

    def _end(self, attempt: Attempt, outcome: str) -> None:
        attempt.status, attempt.outcome = AttemptStatus.ENDED, outcome

    def _refund(self, item: Item) -> None:
        item.refunded = True
        item.job.shop.book(EntryKind.REFUND, item.price, f"refund:item:{item.id}")

    def tables(self) -> dict[str, Any]:
        """What `tests.properties.rows.tables` should read."""
        return {
            "shops": {
                id: (shop.balance, len(self.due(shop)), shop.disabled)
                for id, shop in self.shops.items()
            },
            "entries": {id: shop.entries for id, shop in self.shops.items()},
            "jobs": {id: job.row for id, job in self.jobs.items()},
            "items": {id: item.row for id, item in self.items.items()},
            "attempts": {id: attempt.row for id, attempt in self.attempts.items()},
        }
