"""Flask-Migrate's commands, apart from `models.database`: only the command line imports Alembic,
which takes as long as SQLAlchemy itself."""

from flask import Flask
from flask_migrate import Migrate

from models.database import db
from models.revisions import FOLDER


def attach(app: Flask) -> None:
    """Let `flask db …` and `flask_migrate` work on a bound app."""
    Migrate(app, db, directory=str(FOLDER))
