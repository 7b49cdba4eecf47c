"""The real servers that tests run on: one of each per process of the test run."""

from collections.abc import Iterator

import pytest
import redis

from tests.postgres import Postgres
from tests.valkey import Valkey


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
