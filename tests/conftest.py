"""What tests run on: real servers, one of each per process of the test run, and databases."""

import gc
import itertools
import os
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import redis
from flask import Flask

from tests.databases import bound, check_promises, copy_sqlite, migrate
from tests.nowhere import NOWHERE
from tests.postgres import Postgres
from tests.stand_in import StandIn
from tests.valkey import Valkey

os.environ.update(NOWHERE)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Deal the tests that take long to the beginnings of what each process of the run is given:
    what is begun last is waited for by all."""
    processes = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    lengthy = [item for item in items if item.get_closest_marker("lengthy")]
    others = iter([item for item in items if item not in lengthy])
    share = -(-len(items) // processes)
    dealt: list[pytest.Item] = []
    for process in range(processes):
        first = lengthy[process::processes]
        dealt += [*first, *itertools.islice(others, share - len(first))]
    items[:] = [*dealt, *others]


def pytest_collection_finish() -> None:
    """Spare the garbage collector what stays anyway: going through it took a tenth of all time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


@pytest.fixture(scope="session")
def valkey_server() -> Iterator[Valkey]:
    server = Valkey().start()
    yield server
    server.close()


@pytest.fixture
def redis_url(valkey_server: Valkey) -> str:
    """The URL of an empty Valkey."""
    with redis.Redis.from_url(valkey_server.url, socket_timeout=5) as client:
        client.flushall()
    return valkey_server.url


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Postgres]:
    server = Postgres().start()
    yield server
    server.close()


@pytest.fixture
def postgres_url(postgres_server: Postgres) -> Iterator[str]:
    """The URL of a fresh database, dropped after the test."""
    url = postgres_server.create_database()
    yield url
    postgres_server.drop_database(url)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("template") / "darkroom.db"
    migrate(f"sqlite:///{file}")
    return file


@pytest.fixture(scope="session")
def sqlite_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where every test's SQLite database lies, one after the other."""
    return tmp_path_factory.mktemp("sqlite")


@pytest.fixture(scope="session")
def migrated_postgres(postgres_server: Postgres) -> str:
    """The URL of the PostgreSQL database that every test empties before it begins.

    Making one anew and dropping it costs 260 ms, emptying it 20.
    """
    url = postgres_server.create_database()
    migrate(url)
    return url


@pytest.fixture
def sqlite_database(sqlite_template: Path, sqlite_folder: Path) -> str:
    """The URL of a migrated, empty SQLite database; the next test's has the same."""
    return copy_sqlite(sqlite_template, sqlite_folder)


@pytest.fixture
def postgres_database(postgres_server: Postgres, migrated_postgres: str) -> str:
    """The URL of a migrated, empty PostgreSQL database; the next test's has the same.

    Tables and constraints stay as they are: see `postgres_to_break`.
    """
    postgres_server.empty_database(migrated_postgres)
    return migrated_postgres


@pytest.fixture
def postgres_to_break(postgres_server: Postgres, postgres_database: str) -> Iterator[str]:
    """The URL of another, dropped after the test, which may change its tables."""
    postgres_server.cut_connections(postgres_database)
    url = postgres_server.create_database(template=postgres_database)
    yield url
    postgres_server.drop_database(url)


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest) -> str:
    """The URL of a migrated, empty database: the test runs on both kinds."""
    url: str = request.getfixturevalue(f"{request.param}_database")
    return url


@pytest.fixture(scope="session")
def stand_in_server() -> Iterator[StandIn]:
    with StandIn(canned_result=True) as running:
        yield running


@pytest.fixture
def stand_in(stand_in_server: StandIn) -> StandIn:
    """The stand-in for Replicate, with its knobs as at the start: every result is canned."""
    stand_in_server.reset()
    return stand_in_server


@pytest.fixture(scope="session")
def http(stand_in_server: StandIn) -> Iterator[httpx.Client]:
    """A plain client of the stand-in, with a token."""
    headers = {"Authorization": "Bearer r8_alice"}
    with httpx.Client(base_url=stand_in_server.url, headers=headers, timeout=5) as client:
        yield client


@pytest.fixture
def bare_app(database_url: str) -> Iterator[Flask]:
    """The models on that database; afterwards the promises are checked."""
    with bound(database_url) as app:
        yield app
        with app.app_context():
            check_promises()


@pytest.fixture
def in_database(bare_app: Flask) -> Iterator[Flask]:
    """The same, with an application context around the test."""
    with bare_app.app_context():
        yield bare_app
