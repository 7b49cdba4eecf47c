"""A whole Darkroom for one test: database, broker, stand-in for Replicate, workers."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import redis
from flask import Flask
from sqlalchemy import func, select, update

from config.forms import RateLimit
from models import accounts, ledger, reports
from models.clock import from_now
from models.database import db
from models.job_rows import JobRow
from models.tables import (
    Attempt,
    AttemptStatus,
    CreditEntry,
    EntryKind,
    Instance,
    Item,
    Status,
)
from tasks.limiter import Limiter
from tasks.queues import depths
from tasks.wake import Waker
from tests.databases import bound, check_promises
from tests.proof import Image, check_limit, check_made_once
from tests.service import Service, service, wait_until
from tests.shop import open_shop, submit
from tests.stand_in import StandIn

# The most seconds from a claim to the end of its create, with some more for a busy machine.
CREATE_TAKES = 12.0


@dataclass(frozen=True)
class Darkroom:
    """What a test sees of it; `app` is on the same database as the workers."""

    app: Flask
    redis: redis.Redis
    service: Service
    stand_in: StandIn
    waker: Waker
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def shop(self, name: str) -> int:
        """Open a shop with plenty of credits; return its id."""
        with self.app.app_context():
            return open_shop(name, credits=100_000)

    def customer(self, name: str) -> dict[str, str]:
        """Open a shop; return the header with its token, for the API."""
        with self.app.app_context():
            instance, token = accounts.create(name, "pro")
            ledger.grant(instance.id, 100_000 - instance.balance, f"test:{name}")
        return {"Authorization": f"Bearer {token}"}

    def submit(self, shop: int, images: int = 1) -> int:
        """Submit a job of new images as the API does, messages included; return its id."""
        product = f"cup-{shop}-{next(self.numbers)}"
        with self.app.app_context():
            job_id = submit(shop, images, product=product).job.id
        self.waker.wake_workers(job_id, images)
        return job_id

    def submit_many(self, shop: int, images: int) -> None:
        """Submit so many images in jobs of 10."""
        for start in range(0, images, 10):
            self.submit(shop, min(10, images - start))

    def count(self, status: Status) -> int:
        """How many items have that status."""
        with self.app.app_context():
            return reports.items_by_status()[status]

    def images(self) -> int:
        """How many items there are; one look, so that none that moves meanwhile counts twice."""
        with self.app.app_context():
            return sum(reports.items_by_status().values())

    def job(self, shop: int, job_id: int) -> JobRow:
        """The job as it is now."""
        with self.app.app_context():
            return reports.job(shop, job_id)

    def balance(self, shop: int) -> int:
        """The shop's credits as they are now."""
        with self.app.app_context():
            return db.session.scalars(select(Instance.balance).where(Instance.id == shop)).one()

    def wait_done(self, images: int, patience: float = 60.0) -> None:
        """Return when so many images are DONE."""
        wait_until(lambda: self.count(Status.DONE) == images, f"{images} images DONE", patience)

    def messages(self, queue: str = "replicate") -> int:
        """The messages of a queue, those that workers hold included."""
        return depths(self.redis)[queue].total

    def limiter(self) -> Limiter:
        """The limiter of the workers, to look at and to resume; nothing is asked of it."""
        return Limiter(self.redis, RateLimit(50, 3.0), 0.0, lambda _window: [])

    def rate(self) -> float:
        """The images a second that the limit allows."""
        return self.limit.count / self.limit.window

    @property
    def limit(self) -> RateLimit:
        """The limit of the workers."""
        number, window = self.service.environment["REPLICATE_RATE_LIMIT"].split("/")
        return RateLimit(int(number), float(window.removesuffix("s")))

    def expire_leases(self, older_than: float = 0.0) -> None:
        """Shift time: the leases of creates whose answer got lost run out now."""
        self._shift(older_than, lease_until=from_now(-1))

    def return_messages(self) -> None:
        """Shift time: the messages that a worker has held until now are handed out again."""
        for tag, _when in self.redis.zscan_iter("unacked_index"):
            self.redis.zincrby("unacked_index", -60, tag)

    def let_a_minute_pass(self, older_than: float = 0.0) -> None:
        """Shift time for what a process that died leaves behind: its leases, the deadlines of what
        it may have created, its checks, its messages.

        Where others are at work, only attempts that are `older_than` the seconds that a create may
        take: none of them is still going to be sent.
        """
        self.expire_leases(older_than)
        self._shift(older_than, AttemptStatus.CREATING, deadline_at=from_now(-1))
        self._shift(older_than, AttemptStatus.CREATED, next_check_at=from_now(-60))
        self.return_messages()

    def hurry(self, images: int, patience: float = 60.0) -> None:
        """Return when so many images are DONE, without waiting for leases and the like; none may
        fail."""

        def done() -> bool:
            assert self.count(Status.FAILED) == 0
            self.let_a_minute_pass(older_than=CREATE_TAKES)
            return self.count(Status.DONE) == images

        wait_until(done, f"{images} images DONE", patience, every=1.0)

    def _shift(self, older_than: float, *status: AttemptStatus, **times: Any) -> None:
        old = update(Attempt).where(
            Attempt.created_at <= from_now(-older_than),
            Attempt.status.in_(status or tuple(AttemptStatus)),
        )
        with self.app.app_context(), db.engine.begin() as connection:
            connection.execute(old.values(**times))

    def check(self) -> None:
        """Check the promises on the rows, and in the stand-in's log: no image was made twice."""
        with self.app.app_context():
            check_promises()
            accepted = _accepted_images()
            _check_charges()
        check_made_once(self.stand_in.predictions(), accepted)
        check_limit(self.stand_in.requests(), self.limit)

    def check_settled(self, *expected: str) -> None:
        """The same, and every image is final, and no process complained but of the `expected`."""
        unsettled = self.count(Status.PENDING) + self.count(Status.RUNNING)
        assert unsettled == 0, f"{unsettled} images are not final"
        self.check()
        complaints = self.service.complaints(*expected)
        assert not complaints, complaints


def _accepted_images() -> Counter[Image]:
    rows = db.session.execute(select(Item.image_url, Item.prompt)).all()
    db.session.rollback()
    return Counter((url, prompt) for url, prompt in rows)


def _check_charges() -> None:
    """Every instance was charged for its own images, each of them once."""
    charged = select(CreditEntry.instance_id, -func.sum(CreditEntry.amount))
    charges = charged.where(CreditEntry.kind == EntryKind.CHARGE).group_by(CreditEntry.instance_id)
    prices = select(Item.instance_id, func.sum(Item.credits)).group_by(Item.instance_id)
    booked, owed = (set(map(tuple, db.session.execute(each))) for each in (charges, prices))
    db.session.rollback()
    assert booked == owed, f"charged {booked} instead of {owed}"


@contextmanager
def darkroom(
    database_url: str, redis_url: str, stand_in: StandIn, folder: Path, **settings: str
) -> Iterator[Darkroom]:
    """Everything but the workers, which the test starts; no process is left behind."""
    environment = {
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "SECRET_KEY": "secret-of-the-tests",
        "REPLICATE_API_TOKEN": "r8_test",
        "REPLICATE_BASE_URL": stand_in.url,
        "STORAGE_URL": f"file://{folder}/results",
        "SANDBOX": "true",
        "REPLICATE_RATE_LIMIT": "50/3s",
        "REPLICATE_MIN_SPACING": "0s",
        "POLL_INTERVAL": "500ms",
        "RETRY_PAUSE": "500ms",
        "SWEEP_INTERVAL": "2s",
        **settings,
    }
    with (
        bound(database_url) as app,
        redis.Redis.from_url(redis_url) as client,
        service(folder / "service", **environment) as running,
    ):
        yield Darkroom(app, client, running, stand_in, Waker(redis_url))
