"""What each step of an image's life costs in SQL and in Redis, counted in one process.

SQLAlchemy tells of each statement and of each transaction's end. The steps are the program's own
functions on real servers; Celery's own talk with Redis is not in it, but in the real run's.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from threading import Event

import redis
from sqlalchemy import Engine, event, select

from benchmarks.simulation.meter import redis_calls
from benchmarks.simulation.stage import Stage
from config.forms import RateLimit
from models import analytics, batches, lifecycle
from models.batch_orders import BatchOrder
from models.database import bind, db
from models.tables import Attempt
from tasks.collect import collect
from tasks.gear import Gear, build_gear
from tasks.optimize import optimize_next
from tests.databases import settings_for
from tests.shop import PRICE, open_shop, order

IMAGES = 10
BATCH_JOBS = 20


@dataclass(frozen=True, slots=True)
class Price:
    """What a step costs for one image; `redis` are commands, those of scripts among them."""

    step: str
    transactions: float
    statements: float
    redis: float


@dataclass(frozen=True, slots=True)
class Prices:
    """All of them, and the memory that a waiting message takes in Redis."""

    steps: list[Price]
    message_bytes: float


def prices(stage: Stage) -> Prices:
    """Count every step, in the order of an image's life."""
    url = stage.start_over()
    stage.stand_in.knobs(create_latency=0.0, process_latency=0.0, canned_result=True)
    settings = settings_for(
        url,
        redis_url=stage.valkey.url,
        replicate_base_url=stage.stand_in.url,
        storage_url=f"file://{stage.folder}/price",
        replicate_rate_limit=RateLimit(1000, 1.0),
        replicate_min_spacing=0.0,
    )
    gear = replace(build_gear(settings, bind(settings)), stopping=Event())
    try:
        steps = list(_steps(gear, stage))
        return Prices(steps, _message_bytes(gear))
    finally:
        with gear.app.app_context():
            db.engine.dispose()
        gear.replicate.close()
        gear.downloader.close()
        gear.courier.close()
        gear.redis.close()


def _steps(gear: Gear, stage: Stage) -> Iterator[Price]:
    with gear.app.app_context():
        shop, engine = open_shop("price", credits=100_000), db.engine
    # The first of everything connects, and seeds the limiter's log.
    _order_job(gear, shop, "first")
    optimize_next(gear)
    clerk = _Clerk(engine, gear.redis)
    yield clerk.count("order, in a job of 10", IMAGES, lambda: _order_job(gear, shop, "job"))
    many = 10 * BATCH_JOBS
    yield clerk.count("order, in a batch of 200", many, lambda: _order_batch(gear, shop))
    yield clerk.count("slot, claim, create, note", IMAGES, lambda: _each(IMAGES, gear))
    stage.stand_in.knobs(process_latency=60.0)
    optimize_next(gear)
    running = _attempts(gear)[-1]
    yield clerk.count("look that finds it running", 1, lambda: collect(gear, running, 1))
    done = _attempts(gear)[1 : IMAGES + 1]
    yield clerk.count("look, download, store, DONE", IMAGES, lambda: _collect(gear, done))
    yield clerk.count("analytics, by the sweep", IMAGES, lambda: _count(gear, shop))


class _Clerk:
    """Counts what happens in one engine and one Redis while a step is carried out."""

    def __init__(self, engine: Engine, client: redis.Redis) -> None:
        self._engine = engine
        self._redis = client

    def count(self, step: str, images: int, act: Callable[[], object]) -> Price:
        before = redis_calls(self._redis)
        with self._overheard() as heard:
            act()
        after = redis_calls(self._redis)
        # The second look at the counters counts the first one's INFO.
        commands = after.total() - before.total() - 1
        return Price(step, heard["ends"] / images, heard["statements"] / images, commands / images)

    @contextmanager
    def _overheard(self) -> Iterator[dict[str, int]]:
        heard = {"ends": 0, "statements": 0}

        def hear(name: str) -> Callable[..., None]:
            def note(*_facts: object) -> None:
                heard[name] += 1

            return note

        listeners = {
            "before_cursor_execute": hear("statements"),
            "commit": hear("ends"),
            "rollback": hear("ends"),
        }
        for name, listener in listeners.items():
            event.listen(self._engine, name, listener)
        try:
            yield heard
        finally:
            for name, listener in listeners.items():
                event.remove(self._engine, name, listener)


def _order_job(gear: Gear, shop: int, product: str) -> None:
    with gear.database():
        job = lifecycle.submit(shop, order(IMAGES, product), PRICE).job
    gear.waker.wake_workers(job.id, job.waiting)


def _order_batch(gear: Gear, shop: int) -> None:
    jobs = tuple(order(10, f"batch-{number}") for number in range(BATCH_JOBS))
    with gear.database():
        receipt = batches.submit(shop, BatchOrder(jobs), PRICE)
    gear.waker.wake_for_batch(receipt.batch.id, receipt.waiting)


def _each(times: int, gear: Gear) -> None:
    for _ in range(times):
        optimize_next(gear)


def _message_bytes(gear: Gear) -> float:
    """Of the messages of the batch, which were not worked off."""
    kept = gear.redis.memory_usage("replicate", samples=0)
    assert kept is not None
    return kept / gear.redis.llen("replicate")


def _attempts(gear: Gear) -> list[int]:
    with gear.app.app_context():
        found = list(db.session.scalars(select(Attempt.id).order_by(Attempt.id)))
        db.session.rollback()
        return found


def _collect(gear: Gear, attempts: list[int]) -> None:
    for attempt in attempts:
        collect(gear, attempt, 1)


def _count(gear: Gear, shop: int) -> None:
    with gear.database():
        analytics.count_page(shop)
