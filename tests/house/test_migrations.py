"""The migrations are one line, and lead to exactly the tables of the models."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import flask_migrate
import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from flask import Flask
from sqlalchemy import Connection, text

from models import migrations, revisions
from models.database import db
from tests.databases import bound
from tests.service import wait_until

# A job with two failed images, as revision 0001 knew them; the second was refunded.
ROWS_OF_0001 = (
    (
        "INSERT INTO instances (id, name, plan, token_hash, balance, reset_month, due_items,"
        " created_at) VALUES (1, 'alice', 'pro', 'x', 15, '2026-11', 0, '2026-11-01')"
    ),
    (
        "INSERT INTO image_optimization_jobs (id, instance_id, product_id, product_name, status,"
        " total_images, completed_images, failed_images, canceled_images, created_at, version)"
        " VALUES (1, 1, 'cup', 'The cup', 'FAILED', 2, 0, 2, 0, '2026-11-01', 1)"
    ),
    *(
        "INSERT INTO image_optimization_items (id, job_id, instance_id, position, image_id,"
        " image_url, prompt, aspect_ratio, output_format, credits, status, failed_attempts,"
        f" error_code, error, created_at, updated_at) VALUES ({n}, 1, 1, {n}, 'cup-{n}', 'u', 'p',"
        " '1:1', 'jpg', 15, 'FAILED', 0, 'model_failed', 'e', '2026-11-01', '2026-11-01')"
        for n in (1, 2)
    ),
    (
        "INSERT INTO credit_entries (instance_id, kind, amount, balance_after, reference,"
        " created_at) VALUES (1, 'REFUND', 15, 15, 'refund:item:2', '2026-11-01')"
    ),
)


@pytest.fixture(params=["sqlite", "postgres"])
def fresh_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database without tables."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/fresh.db"
    url: str = request.getfixturevalue("postgres_url")
    return url


def write(connection: Connection, *statements: str) -> None:
    with connection.execution_options(writes=True), connection.begin():
        for statement in statements:
            connection.execute(text(statement))


def test_a_filled_database_goes_up_down_and_up_again(
    fresh_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REPLICATE_MODEL", "google/nano-banana-2")
    with bound(fresh_url) as app, app.app_context():
        migrations.attach(app)
        flask_migrate.upgrade(revision="0001")
        with db.engine.connect() as connection:
            write(connection, *ROWS_OF_0001)

        flask_migrate.upgrade()
        flask_migrate.downgrade(revision="0001")
        flask_migrate.upgrade()

        with db.engine.connect() as connection:
            # The release before this one may still order images.
            third = ROWS_OF_0001[-2].replace("VALUES (2, 1, 1, 2", "VALUES (3, 1, 1, 3")
            write(connection, third.replace("cup-2", "cup-3"))
        with db.engine.connect() as connection:
            models = text("SELECT DISTINCT model FROM image_optimization_items")
            assert connection.scalars(models).all() == ["google/nano-banana-2"]
            marks = text("SELECT refunded FROM image_optimization_items ORDER BY id")
            assert [bool(mark) for mark in connection.scalars(marks)] == [False, True, False]


@pytest.mark.parametrize("release", ["0003", "0004"])
def test_a_service_at_work_is_waited_for_without_a_deadlock(
    postgres_url: str, release: str
) -> None:
    with bound(postgres_url) as app, app.app_context():
        migrations.attach(app)
        flask_migrate.upgrade(revision=release)
        with db.engine.connect() as connection:
            write(connection, *ROWS_OF_0001)

        def upgrade() -> None:
            with app.app_context():
                flask_migrate.upgrade()

        with ThreadPoolExecutor(1) as operator, db.engine.connect() as at_work:
            at_work.execute(text("UPDATE image_optimization_jobs SET version = 2"))
            upgrading = operator.submit(upgrade)
            wait_until(_somebody_waits, "the migration waiting")
            at_work.execute(text("UPDATE instances SET balance = 30"))
            at_work.execute(text("UPDATE image_optimization_items SET failed_attempts = 1"))
            at_work.execute(text("UPDATE credit_entries SET balance_after = 30"))
            at_work.commit()
            upgrading.result()

        with db.engine.connect() as connection:
            assert connection.scalar(text("SELECT balance FROM instances")) == 30


def _somebody_waits() -> bool:
    with db.engine.connect() as connection:
        return bool(connection.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")))


def test_the_migrations_have_one_head() -> None:
    config = Config()
    config.set_main_option("script_location", str(revisions.FOLDER))

    heads = ScriptDirectory.from_config(config).get_heads()

    assert heads == [revisions.newest()]


def test_models_and_migrations_agree(in_database: Flask) -> None:
    migrations.attach(in_database)

    flask_migrate.check()
