"""Gears that send uploads: to a Replicate that takes files, and to the stand-in."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from config.forms import RateLimit
from tasks.gear import Gear
from tasks.replicate import Replicate
from tests.integration.uploads.kit import Copying
from tests.outside import Outside, gear_around
from tests.stand_in import StandIn


@pytest.fixture
def outside() -> Copying:
    return Copying()


@pytest.fixture
def calm_gear(
    sqlite_database: str, redis_url: str, outside: Copying, tmp_path: Path
) -> Iterator[Gear]:
    """The gear of a process on SQLite: for what no database does differently."""
    with gear_around(outside, sqlite_database, redis_url, tmp_path) as built:
        yield built


@pytest.fixture
def sending(
    database_url: str,
    redis_url: str,
    stand_in: StandIn,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Gear]:
    """The gear of a process that asks the stand-in."""
    limit = RateLimit(50, 3.0)
    facts = {"replicate_base_url": stand_in.url, "replicate_rate_limit": limit}
    known = {"replicate_min_spacing": 0.0, "allow_private_image_urls": True}
    with gear_around(Outside(), database_url, redis_url, tmp_path, **facts, **known) as built:
        client = Replicate(built.settings, lambda _function, _outcome, _seconds: None)
        # On a busy machine a grant is out of date before it is used; that is not what is tested.
        monkeypatch.setattr(built.limiter, "is_fresh", lambda _grant: True)
        yield replace(built, replicate=client)
        client.close()
