"""What is compared: the service on a small and on a large database of each kind, side by side."""

import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

from api import create_app
from benchmarks.growth.blocks import JOBS, Scale
from benchmarks.growth.loading import load, token_of
from config.forms import RateLimit
from models import following
from models.database import db
from tasks.gear import Gear, build_gear
from tests.databases import migrate, settings_for
from tests.nowhere import NOWHERE
from tests.postgres import Postgres
from tests.valkey import Valkey

DATABASES = ("PostgreSQL", "SQLite")


@dataclass(frozen=True)
class Side:
    """One of four: a kind of database, filled to a scale, and the service on it."""

    database: str
    size: str
    scale: Scale
    app: Flask
    gear: Gear

    @property
    def name(self) -> str:
        """How figures of it are called."""
        return f"{self.database}, {self.size}"

    def ask(self, shop: int, path: str) -> TestResponse:
        """GET as a shop, in this process: neither a network nor a server is measured."""
        return _well(self.app.test_client().get(path, headers=_bearer(shop)))

    def order(self, shop: int, path: str, body: Any = None) -> TestResponse:
        """POST as a shop."""
        return _well(self.app.test_client().post(path, json=body, headers=_bearer(shop)))

    def job(self, block: int) -> int:
        """The id of a block's first job, which has ten images."""
        return block * JOBS + 1

    @property
    def small_shop(self) -> int:
        """A shop that has a few blocks in either size, and something that waits."""
        waiting = self.scale.ended + 4
        number = waiting if waiting % 2 else waiting + 1
        return 2 + number // 2 % (self.scale.shops - 1)


def _bearer(shop: int) -> dict[str, str]:
    return {"Authorization": f"Bearer {token_of(shop)}"}


def _well(answer: TestResponse) -> TestResponse:
    """Nothing is measured of what went wrong."""
    assert answer.status_code < 300, answer.get_data(as_text=True)
    return answer


@contextmanager
def sides(small: Scale, large: Scale) -> Iterator[Sequence[Side]]:
    """Four databases, filled; nothing of them is left."""
    os.environ.update(NOWHERE)
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="darkroom-growth-"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        postgres = stack.enter_context(closing(Postgres())).start()
        valkey = stack.enter_context(closing(Valkey())).start()
        made: list[Side] = []
        for database in DATABASES:
            for size, scale in (("small", small), ("large", large)):
                file = f"sqlite:///{folder}/{size}.db"
                url = file if database == "SQLite" else postgres.create_database()
                broker = valkey.url.replace("/0", f"/{len(made)}")
                side = side_on(url, broker, folder, scale, database, size)
                made.append(stack.enter_context(side))
        with ThreadPoolExecutor(len(DATABASES)) as loaders:
            list(loaders.map(fill, made))
        yield made


@contextmanager
def side_on(
    url: str, redis_url: str, folder: Path, scale: Scale, database: str = "", size: str = ""
) -> Iterator[Side]:
    """The service on an empty database, which it migrates."""
    migrate(url)
    settings = settings_for(
        url,
        redis_url=redis_url,
        storage_url=f"file://{folder}/results",
        # Nobody listens there.
        replicate_base_url="http://127.0.0.1:1",
        api_rate_limit=RateLimit(1_000_000, 1.0),
        # A sweep refuses to begin so soon after another one.
        sweep_interval=0.002,
    )
    app = create_app(settings)
    gear = build_gear(settings, app)
    try:
        yield Side(database, size, scale, app, gear)
    finally:
        for part in (gear.replicate, gear.downloader, gear.courier, gear.redis):
            part.close()
        with app.app_context():
            db.engine.dispose()


def fill(side: Side) -> None:
    """Give it its history."""
    with side.app.app_context():
        load(side.scale)
        # Replicate's list is not read, which nobody would answer.
        following.beat("look-round", at_most_every=0.0)
