"""Tasks with real parts around a scripted Replicate, and a Darkroom of real processes."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tasks.gear import Gear
from tests.darkroom import Darkroom, darkroom
from tests.outside import Outside, gear_around
from tests.stand_in import StandIn


@pytest.fixture
def outside() -> Outside:
    """Replicate, where nothing has been made yet."""
    return Outside()


@pytest.fixture
def gear(database_url: str, redis_url: str, outside: Outside, tmp_path: Path) -> Iterator[Gear]:
    """The gear of a process that polls."""
    with gear_around(outside, database_url, redis_url, tmp_path) as built:
        yield built


@pytest.fixture
def hearing_gear(
    database_url: str, redis_url: str, outside: Outside, tmp_path: Path
) -> Iterator[Gear]:
    """The gear of a process that hears webhooks."""
    public = "https://darkroom.example"
    with gear_around(outside, database_url, redis_url, tmp_path, public_base_url=public) as built:
        yield built


@pytest.fixture
def room(
    postgres_database: str, redis_url: str, stand_in: StandIn, tmp_path: Path
) -> Iterator[Darkroom]:
    """A Darkroom on PostgreSQL: what a database does differently is tested without workers."""
    with darkroom(postgres_database, redis_url, stand_in, tmp_path) as built:
        yield built
        built.check()
