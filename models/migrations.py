"""Flask-Migrate's commands, apart from `models.database`: a worker need not import Alembic, which
takes as long as SQLAlchemy itself."""

from pathlib import Path

from flask import Flask
from flask_migrate import Migrate

from models.database import db

FOLDER = Path(__file__).parent.parent / "migrations"


def attach(app: Flask) -> None:
    """Let `flask db …` and `flask_migrate` work on a bound app."""
    Migrate(app, db, directory=str(FOLDER))
