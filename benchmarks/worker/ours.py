"""Darkroom with one worker process, which takes the messages of both queues."""

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import func, select

from benchmarks.worker.cpu import spent
from benchmarks.worker.round import Round
from models import controls
from models.clock import age
from models.database import db
from models.tables import Attempt, Item, Status
from tests.darkroom import Darkroom, darkroom
from tests.service import BOTH, Process, wait_until
from tests.shop import submit
from tests.stand_in import StandIn

METER = "benchmarks.worker.metering"
# No limit: as many as the setting can hold. The first poll comes as early as settings allow.
SETTINGS = {
    "REPLICATE_RATE_LIMIT": "999999/1s",
    "REPLICATE_MIN_SPACING": "0s",
    "POLL_INTERVAL": "100ms",
    "SWEEP_INTERVAL": "30s",
}
PATIENCE = 120.0
# What `celeryconfig.py` reads where this process itself uses the Celery app, to send messages; the
# worker has settings of its own.
HERE = {
    "DATABASE_URL": "sqlite:////nowhere/darkroom.db",
    "REDIS_URL": "redis://127.0.0.1:1/0",
    "SECRET_KEY": "secret-of-the-benchmarks",
    "REPLICATE_API_TOKEN": "r8_benchmark",
    "SANDBOX": "true",
}


class Ours:
    """One worker on one database. `pids` are the processes whose CPU is of interest, by name."""

    def __init__(self, room: Darkroom, worker: Process, pids: dict[str, int], meter: Path) -> None:
        self._room = room
        self._pids = pids | {"worker": worker.popen.pid}
        self._shop = room.shop("benchmark")
        self._meter = meter

    def round(self, images: int) -> Round:
        """Have so many images made, from the first claim to the last result in the database.

        All wait when it begins: an operator's pause keeps them back until then.
        """
        first = self._order(images)
        before = {name: spent(pid) for name, pid in self._pids.items()}
        with self._room.app.app_context():
            controls.resume("benchmark")
        self._room.waker.top_up(images, "benchmark")
        wait_until(lambda: self._unfinished() == 0, f"{images} images", PATIENCE, every=0.02)
        cpu = {name: spent(pid) - before[name] for name, pid in self._pids.items()}
        return Round(images, self._seconds(first), cpu)

    def layers(self, images: int) -> dict[str, float]:
        """The milliseconds of the worker's CPU for one image, by layer; it needs the meter."""
        before = self._metered()
        self.round(images)
        return {
            layer: 1000 * (seconds - before.get(layer, 0.0)) / images
            for layer, seconds in self._metered().items()
        }

    def _order(self, images: int) -> int:
        """Order them; return the id that is below all of theirs."""
        with self._room.app.app_context():
            controls.pause("so that all begin at once", "benchmark")
            newest = db.session.scalar(select(func.max(Item.id))) or 0
            db.session.rollback()
            for start in range(0, images, 10):
                submit(self._shop, min(10, images - start))
        return newest

    def _unfinished(self) -> int:
        waiting = select(func.count()).where(Item.status.in_((Status.PENDING, Status.RUNNING)))
        with self._room.app.app_context():
            return db.session.scalar(waiting) or 0

    def _seconds(self, first: int) -> float:
        """Between the first claim and the last result, by the database's clock."""
        claim = select(func.min(Attempt.created_at)).where(Attempt.item_id > first)
        result = select(func.max(Item.updated_at)).where(Item.id > first)
        lasted = age(claim.scalar_subquery()) - age(result.scalar_subquery())
        with self._room.app.app_context():
            return db.session.scalars(select(lasted)).one()

    def _metered(self) -> dict[str, float]:
        """What the meter has counted when nothing goes on any more."""
        time.sleep(0.5)
        found: dict[str, float] = json.loads(self._meter.read_text())
        return found


@contextmanager
def ours(
    database_url: str,
    redis_url: str,
    stand_in: StandIn,
    folder: Path,
    threads: int,
    pids: dict[str, int],
    *,
    metered: bool = False,
) -> Iterator[Ours]:
    """Start the worker, with the meter if wanted."""
    os.environ.update(HERE)
    settings = SETTINGS | {"METER_FILE": str(folder / "meter.json")}
    with darkroom(database_url, redis_url, stand_in, folder, **settings) as room:
        worker = room.service.worker(BOTH, threads, include=METER if metered else "")
        yield Ours(room, worker, pids, folder / "meter.json")
