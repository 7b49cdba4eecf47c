"""The Celery app: `celery -A tasks worker|beat|flower`."""

from typing import Any

from celery import Celery
from celery.signals import setup_logging

from config.logs import configure_logging
from config.settings import Settings

app = Celery("darkroom")
app.config_from_object("celeryconfig")


@setup_logging.connect
def use_our_logging(**_facts: Any) -> None:
    """Log JSON like every other process, at LOG_LEVEL, instead of in Celery's own format."""
    configure_logging(Settings.from_environment().log_level)
