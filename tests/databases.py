"""Both databases, migrated once and copied for each test, and the promises checked after it."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

import flask_migrate
from flask import Flask, current_app

from config.settings import Settings
from models import invariants, migrations
from models.database import bind, db


def settings_for(database_url: str, **changes: object) -> Settings:
    """Settings that tests start from."""
    facts: dict[str, object] = {
        "database_url": database_url,
        "redis_url": "redis://127.0.0.1:1/0",
        "secret_key": "secret-of-the-tests",
        "replicate_api_token": "r8_test",
        "sandbox": True,
    }
    return Settings(**(facts | changes))  # type: ignore[arg-type]


@contextmanager
def bound(database_url: str) -> Iterator[Flask]:
    """An app on that database, its connections closed at the end.

    It is the same one as before for the same URL, because SQLAlchemy keeps with an engine what it
    has compiled: that costs more than what tests do with it.
    """
    app = _app(database_url)
    try:
        yield app
    finally:
        with app.app_context():
            db.engine.dispose()


@lru_cache(maxsize=8)
def _app(database_url: str) -> Flask:
    return bind(settings_for(database_url))


def migrate(database_url: str) -> None:
    """Bring an empty database to the newest revision, by the real migrations."""
    with bound(database_url) as app, app.app_context():
        migrations.attach(app)
        flask_migrate.upgrade()


def copy_sqlite(template: Path, folder: Path) -> str:
    """The URL of a copy of a migrated SQLite file, in place of what was there."""
    for old in folder.glob("darkroom.db*"):
        old.unlink()
    return f"sqlite:///{shutil.copy(template, folder / 'darkroom.db')}"


def check_promises() -> None:
    """Check in the current app's database what must never happen, as far as rows tell."""
    with bound(current_app.config["SQLALCHEMY_DATABASE_URI"]) as app, app.app_context():
        assert [str(finding) for finding in invariants.findings()] == []
