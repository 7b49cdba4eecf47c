"""Each container's command starts on this host, gets ready, and ends in time when told to."""

import os
import signal
from pathlib import Path

import pytest

from tests.compose import ROOT
from tests.containers import READY, READY_WITHIN, running

GONE_WITHIN = 10.0


def test_the_image_holds_every_file_that_the_commands_read() -> None:
    kept = {
        line.removeprefix("!")
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line.startswith("!")
    }

    top = {path.name for path in ROOT.glob("*.py")} | {"requirements.txt"}
    packages = {"api", "config", "migrations", "models", "tasks"}
    assert kept == top | packages | {"web"}


@pytest.fixture
def environment(postgres_database: str, redis_url: str, tmp_path: Path) -> dict[str, str]:
    """What compose gives to its services, for the servers of the tests."""
    secrets = {"SECRET_KEY": "secret-of-the-tests", "METRICS_TOKEN": "metrics"}
    return os.environ | secrets | {
        "DATABASE_URL": postgres_database,
        "REDIS_URL": redis_url,
        "REPLICATE_API_TOKEN": "r8_test",
        "REPLICATE_BASE_URL": "http://127.0.0.1:1",
        "FLOWER_BASIC_AUTH": "admin:password",
        "STORAGE_URL": (tmp_path / "results").as_uri(),
        "SANDBOX": "false",
    }  # fmt: skip


@pytest.mark.parametrize("service", READY)
def test_a_service_starts_gets_ready_and_ends_in_time(
    service: str, environment: dict[str, str], tmp_path: Path
) -> None:
    with running(service, environment, tmp_path) as container:
        container.wait_until(READY[service])

        assert container.end() < GONE_WITHIN
        assert container.process.returncode in {0, -signal.SIGTERM}


def test_the_migration_ends_by_itself_on_an_empty_database(
    environment: dict[str, str], postgres_url: str, tmp_path: Path
) -> None:
    environment |= {"DATABASE_URL": postgres_url}

    with running("migrate", environment, tmp_path) as container:
        code = container.process.wait(READY_WITHIN)

        assert code == 0, container.log.read_text()
