"""The service as `flask --app wsgi …` has it."""

from flask import Flask

from api import commands, create_app
from config.settings import Settings


def with_commands(settings: Settings) -> Flask:
    """The API with the command line, which gunicorn's processes do without."""
    app = create_app(settings)
    commands.register(app)
    return app
