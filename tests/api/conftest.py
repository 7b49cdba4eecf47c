"""The API on real databases, with Alice and Bob as its clients."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from flask import Flask

from api import create_app, current
from config.settings import Settings
from models.database import db
from tasks.limiter import Limiter
from tests.api.clients import Shop, open_shop
from tests.databases import check_promises, copy_sqlite, settings_for
from tests.limiter_steps import granted


@contextmanager
def serving(settings: Settings) -> Iterator[Flask]:
    """The API with these settings; afterwards the promises are checked."""
    app = create_app(settings)
    yield app
    with app.app_context():
        current.parts().redis.close()
        check_promises()
        db.engine.dispose()


@pytest.fixture
def settings(sqlite_database: str, tmp_path: Path) -> Settings:
    """Settings of an API on SQLite whose broker is down."""
    return settings_for(sqlite_database, storage_url=f"file://{tmp_path}/results")


@pytest.fixture(scope="module")
def lasting_app(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """The API on SQLite, the same one for all tests of a file."""
    with serving(settings_for(copy_sqlite(sqlite_template, tmp_path_factory.mktemp("api")))) as app:
        yield app


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    """The API on SQLite."""
    with serving(settings) as app:
        yield app


@pytest.fixture
def any_app(database_url: str) -> Iterator[Flask]:
    """The API on each kind of database."""
    with serving(settings_for(database_url)) as app:
        yield app


@pytest.fixture
def alice(app: Flask) -> Shop:
    """A shop with 15,000 credits."""
    return open_shop(app, "alice")


@pytest.fixture
def bob(app: Flask) -> Shop:
    """Another one."""
    return open_shop(app, "bob")


@pytest.fixture
def live(database_url: str, redis_url: str) -> Iterator[Flask]:
    """The API with a limiter that says when."""
    with serving(settings_for(database_url, redis_url=redis_url)) as app:
        yield app


@pytest.fixture
def limiter(live: Flask) -> Limiter:
    """Its limiter, of which one slot is taken."""
    with live.app_context():
        limiter = current.parts().limiter
        granted(limiter)
        return limiter
