"""A whole Darkroom for one test: database, broker, stand-in for Replicate, workers."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import redis
from flask import Flask
from sqlalchemy import update

from config.settings import RateLimit
from models import reports
from models.clock import from_now
from models.database import db
from models.tables import Attempt, Job, Status
from tasks.limiter import Limiter
from tasks.queues import depths
from tasks.wake import Waker
from tests.databases import bound, check_promises
from tests.service import Service, service, wait_until
from tests.shop import open_shop, submit
from tests.stand_in import StandIn


@dataclass(frozen=True)
class Darkroom:
    """What a test sees of it; `app` is on the same database as the workers."""

    app: Flask
    redis: redis.Redis
    service: Service
    stand_in: StandIn
    waker: Waker

    def shop(self, name: str) -> int:
        """Open a shop with plenty of credits; return its id."""
        with self.app.app_context():
            return open_shop(name, credits=100_000)

    def submit(self, shop: int, images: int = 1) -> int:
        """Submit a job as the API does, messages included; return its id."""
        with self.app.app_context():
            job_id = submit(shop, images, product=f"cup-{shop}").job.id
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

    def job(self, shop: int, job_id: int) -> Job:
        """The job as it is now."""
        with self.app.app_context():
            return reports.job(shop, job_id)

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
        count, window = self.service.environment["REPLICATE_RATE_LIMIT"].split("/")
        return int(count) / float(window.removesuffix("s"))

    def expire_leases(self) -> None:
        """Shift time: the leases of creates whose answer got lost run out now."""
        with self.app.app_context(), db.engine.begin() as connection:
            connection.execute(update(Attempt).values(lease_until=from_now(-1)))

    def check(self) -> None:
        """Check the promises on the rows, and in the stand-in's log: no image was made twice."""
        with self.app.app_context():
            check_promises()
            paid = sum(reports.items_by_status().values())
        assert len(self.stand_in.creates()) <= paid


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
