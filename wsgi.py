"""The WSGI entry point: `gunicorn wsgi:app`, `flask --app wsgi`."""

import os
import sys

from flask import Flask

from api import create_app
from config.logs import configure_logging
from config.sentry import start_sentry
from config.settings import Settings, SettingsError


def _app_from_environment() -> Flask:
    try:
        settings = Settings.from_environment()
    except SettingsError as error:
        sys.exit(f"darkroom: {error}")
    configure_logging(settings.log_level, settings)
    start_sentry(settings)
    app = create_app(settings)
    if os.environ.get("FLASK_RUN_FROM_CLI") == "true":
        # With Alembic and the client of Replicate they are a fifth of a process's memory: only for
        # `flask …`, which says so before it imports this.
        from api import commands  # noqa: PLC0415

        commands.register(app)
    return app


app = _app_from_environment()
