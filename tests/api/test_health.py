"""GET /healthz and GET /readyz."""

import socket
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy import text

from api import create_app
from config.settings import Settings
from models import following
from models.database import db
from tests.api.conftest import serving
from tests.databases import settings_for

ALL_WELL = {"database": "ok", "migrations": "ok", "sweep": "ok", "broker": "ok"}


@pytest.fixture
def ready(database_url: str, redis_url: str) -> Iterator[Flask]:
    """An API with everything it needs."""
    with serving(settings_for(database_url, redis_url=redis_url)) as app:
        with app.app_context():
            following.beat("sweep", at_most_every=0.0)
        yield app


def execute(app: Flask, statement: str) -> None:
    with app.app_context():
        db.session.connection(execution_options={"writes": True})
        db.session.execute(text(statement))
        db.session.commit()


def checks(app: Flask) -> dict[str, str]:
    answer = app.test_client().get("/readyz")
    report = answer.get_json()
    well = set(report["checks"].values()) == {"ok"}
    expected = (200, "ok") if well else (503, "failed")
    assert (answer.status_code, report["status"]) == expected
    assert answer.headers["Cache-Control"] == "no-store"
    found: dict[str, str] = report["checks"]
    assert set(report["advice"]) == {name for name, word in found.items() if word != "ok"}
    assert all(sentence.endswith(".") for sentence in report["advice"].values())
    return found


def test_a_process_lives_whatever_else_does_not(settings: Settings) -> None:
    away = replace(settings, database_url="postgresql://127.0.0.1:1/darkroom")

    answer = create_app(away).test_client().get("/healthz")

    assert (answer.status_code, answer.get_json()) == (200, {"status": "ok"})


def test_ready_is_who_has_everything(ready: Flask) -> None:
    assert checks(ready) == ALL_WELL


def test_without_a_broker_it_is_not_ready(app: Flask) -> None:
    assert checks(app)["broker"] == "unreachable"


def test_a_broker_that_hangs_is_not_waited_for(settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"redis://127.0.0.1:{silent.getsockname()[1]}/0"
        with serving(replace(settings, redis_url=url)) as app:
            began = time.monotonic()
            found = checks(app)

    assert found["broker"] == "unreachable"
    assert time.monotonic() - began < 3


def test_before_the_first_sweep_it_is_not_ready(ready: Flask) -> None:
    execute(ready, "DELETE FROM heartbeats")

    assert checks(ready) == ALL_WELL | {"sweep": "never"}


def test_without_a_sweep_for_long_it_is_not_ready(ready: Flask) -> None:
    execute(ready, "UPDATE heartbeats SET at = '2020-01-01 00:00:00.000000'")

    assert checks(ready) == ALL_WELL | {"sweep": "late"}


@pytest.fixture(params=["sqlite_database", "postgres_to_break"])
def outdated(request: pytest.FixtureRequest, redis_url: str) -> Iterator[Flask]:
    """The same, on a database whose revision nobody knows."""
    with serving(settings_for(request.getfixturevalue(request.param), redis_url=redis_url)) as app:
        execute(app, "UPDATE alembic_version SET version_num = '0000'")
        yield app


def test_on_another_revision_it_is_not_ready(outdated: Flask) -> None:
    assert checks(outdated) == ALL_WELL | {"migrations": "outdated", "sweep": "unknown"}


def test_before_the_first_migration_it_is_not_ready(postgres_url: str) -> None:
    app = create_app(settings_for(postgres_url))

    found = checks(app)

    assert (found["database"], found["migrations"]) == ("ok", "outdated")
    with app.app_context():
        db.engine.dispose()


def test_without_a_database_it_is_not_ready(settings: Settings) -> None:
    app = create_app(replace(settings, database_url="postgresql://127.0.0.1:1/darkroom"))

    answer = app.test_client().get("/readyz")

    assert checks(app) == {
        "database": "unreachable",
        "migrations": "unknown",
        "sweep": "unknown",
        "broker": "unreachable",
    }
    assert "127.0.0.1" not in answer.text
