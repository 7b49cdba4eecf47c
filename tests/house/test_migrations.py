"""The migrations are one line, and lead to exactly the tables of the models."""

import flask_migrate
from alembic.config import Config
from alembic.script import ScriptDirectory
from flask import Flask

from models import migrations


def test_the_migrations_have_one_head() -> None:
    config = Config()
    config.set_main_option("script_location", str(migrations.FOLDER))

    heads = ScriptDirectory.from_config(config).get_heads()

    assert len(heads) == 1


def test_models_and_migrations_agree(in_database: Flask) -> None:
    migrations.attach(in_database)

    flask_migrate.check()
