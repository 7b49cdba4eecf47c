"""The WSGI entry point: `gunicorn wsgi:app`, `flask --app wsgi`."""

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
    return create_app(settings)


app = _app_from_environment()
