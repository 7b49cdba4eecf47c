"""The things of the reference: shops, jobs, items, attempts, each with what its row should hold."""

from dataclasses import dataclass, field
from typing import Any

from models.orders import JobOrder, JobRetry, Receipt
from models.tables import AttemptStatus, EntryKind, Status

OPEN = (Status.PENDING, Status.RUNNING)
ALLOTMENT = 150


@dataclass
class Shop:
    """An instance; `served` is its place in the order of the last claims, `keys` those that are
    good for their first answer, `used` all that ever were."""

    id: int
    name: str
    balance: int = 0
    disabled: bool = False
    reset_missing: bool = True
    served: int = 0
    entries: list[tuple[EntryKind, int, str]] = field(default_factory=list)
    keys: dict[str, tuple[JobOrder | JobRetry, Receipt]] = field(default_factory=dict)
    used: list[tuple[str, JobOrder]] = field(default_factory=list)

    def book(self, kind: EntryKind, amount: int, reference: str = "") -> None:
        """Change the balance and say why."""
        self.balance += amount
        self.entries.append((kind, amount, reference))

    def reset(self) -> None:
        """Top up to the plan's allotment, once in a month."""
        if self.reset_missing:
            self.book(EntryKind.RESET, max(0, ALLOTMENT - self.balance))
            self.reset_missing = False


@dataclass
class Item:
    """An image. `due`: could be claimed now; `rested`: its pause is over, so it may become due;
    `unwanted`: its shop wants it canceled although it was sent."""

    id: int
    job: "Job"
    url: str
    price: int
    status: Status = Status.PENDING
    due: bool = True
    rested: bool = False
    failures: int = 0
    refunded: bool = False
    code: str | None = None
    result: str | None = None
    holder: int | None = None
    unwanted: bool = False

    @property
    def waits(self) -> bool:
        return self.status == Status.PENDING

    @property
    def row(self) -> tuple[Any, ...]:
        charged = 0 if self.refunded else self.price
        resting = self.waits and not self.due
        facts = (self.failures, self.refunded, charged, self.code, self.result)
        return (self.job.id, self.status, resting, self.holder, self.unwanted, *facts)


@dataclass
class Job:
    """Up to 10 items of one shop."""

    id: int
    shop: Shop
    items: list[Item] = field(default_factory=list)
    started: bool = False
    retry_of: "Job | None" = None

    def count(self, status: Status) -> int:
        return sum(item.status == status for item in self.items)

    @property
    def status(self) -> Status:
        """Final when every item is: DONE before CANCELED before FAILED."""
        if any(item.status in OPEN for item in self.items):
            return Status.RUNNING if self.started else Status.PENDING
        order = (Status.DONE, Status.CANCELED, Status.FAILED)
        return next(status for status in order if self.count(status))

    @property
    def row(self) -> tuple[Any, ...]:
        counts = [self.count(status) for status in (Status.DONE, Status.FAILED, Status.CANCELED)]
        retried = self.retry_of and self.retry_of.id
        return (self.shop.id, self.status, *counts, self.started, self.status not in OPEN, retried)


@dataclass
class Attempt:
    """A try. `unwanted`: its prediction is to be canceled, now (True) or again later (False);
    `lease_over`: that its lease ran out, as the how-manyeth."""

    id: int
    item: Item
    status: AttemptStatus = AttemptStatus.CREATING
    outcome: str | None = None
    prediction: str | None = None
    checks: int = 0
    unwanted: bool | None = None
    lease_over: int | None = None
    overdue: bool = False
    forgotten: bool = False

    def is_twin_of(self, other: "Attempt") -> bool:
        """It is in doubt, and what the other made could be its own."""
        in_doubt = self.status == AttemptStatus.CREATING and self.lease_over is not None
        return in_doubt and self is not other and self.item.url == other.item.url

    def gets(self, prediction: str) -> None:
        """Its prediction is known from now on."""
        self.status, self.prediction = AttemptStatus.CREATED, prediction

    @property
    def row(self) -> tuple[Any, ...]:
        facts = (self.outcome, self.prediction, self.checks, self.unwanted is not None)
        return (self.item.id, self.status, *facts)
