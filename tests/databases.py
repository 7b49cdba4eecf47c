"""Both databases, migrated once and copied for each test, and the promises checked after it."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import flask_migrate
from flask import Flask
from sqlalchemy import func, select

from config.settings import Settings
from models import migrations
from models.database import bind, db
from models.tables import CreditEntry, Instance, Item, Job, Status


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
    """An app on that database, its connections closed at the end."""
    app = bind(settings_for(database_url))
    try:
        yield app
    finally:
        with app.app_context():
            db.engine.dispose()


def migrate(database_url: str) -> None:
    """Bring an empty database to the newest revision, by the real migrations."""
    with bound(database_url) as app, app.app_context():
        migrations.attach(app)
        flask_migrate.upgrade()


def copy_sqlite(template: Path, folder: Path) -> str:
    """The URL of a copy of a migrated SQLite file."""
    return f"sqlite:///{shutil.copy(template, folder / 'darkroom.db')}"


def check_promises() -> None:
    """Check in the current app's database what must never happen, as far as rows tell."""
    for instance in db.session.scalars(select(Instance)):
        entries = select(func.coalesce(func.sum(CreditEntry.amount), 0))
        own = entries.where(CreditEntry.instance_id == instance.id)
        assert db.session.scalar(own) == instance.balance >= 0
        assert instance.due_items == _count(
            Item.instance_id == instance.id,
            Item.status == Status.PENDING,
            Item.not_before.is_(None),
        )
    for job in db.session.scalars(select(Job)):
        counted = {s: _count(Item.job_id == job.id, Item.status == s) for s in Status}
        assert job.completed_images == counted[Status.DONE]
        assert job.failed_images == counted[Status.FAILED]
        assert job.canceled_images == counted[Status.CANCELED]
        assert sum(counted.values()) == job.total_images
        assert (job.finished_at is not None) == (job.status in _FINAL)
        assert (job.status in _FINAL) == (counted[Status.PENDING] + counted[Status.RUNNING] == 0)
    db.session.rollback()


_FINAL = {Status.DONE, Status.FAILED, Status.CANCELED}


def _count(*conditions: object) -> int:
    return db.session.scalar(select(func.count()).select_from(Item).where(*conditions)) or 0  # type: ignore[arg-type]
