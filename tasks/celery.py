"""The Celery app: `celery -A tasks worker|beat|flower`."""

from typing import Any

from celery import Celery
from celery.signals import beat_init, celeryd_init, setup_logging
from kombu.transport import TRANSPORT_ALIASES

from config.logs import configure_logging
from config.memory import be_sparing
from config.sentry import start_sentry
from config.settings import Settings

# What `redis` in a broker's address means.
TRANSPORT_ALIASES.update(dict.fromkeys(("redis", "rediss"), "tasks.broker:Transport"))

app = Celery("darkroom", events="tasks.events:Events")
app.config_from_object("celeryconfig")


@setup_logging.connect
def use_our_logging(**_facts: Any) -> None:
    """Log JSON like every other process, at LOG_LEVEL, instead of in Celery's own format."""
    settings = Settings.from_environment()
    configure_logging(settings.log_level, settings)


@celeryd_init.connect
def give_memory_back(**_facts: Any) -> None:
    """A worker has many threads, and a housekeeper's decode pictures."""
    be_sparing()


@celeryd_init.connect
@beat_init.connect
def report_errors(**_facts: Any) -> None:
    """In workers and in the scheduler; the API, which only sends messages, begins in `wsgi.py`."""
    start_sentry(Settings.from_environment())
