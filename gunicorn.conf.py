"""How gunicorn runs the API: `gunicorn wsgi:app`. gunicorn reads the names of this file.

Threads suit it: a request waits for the database or for a file. Nothing is loaded before the fork
(`preload_app` stays off), because connections and their threads must not be shared by processes.
"""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from gunicorn.glogging import Logger

from config.logs import configure_logging
from config.memory import be_sparing
from config.settings import Settings, SettingsError

try:
    # Here, in the master: a worker that cannot read them would be started again and again.
    settings = Settings.from_environment()
    if settings.public_base_url and not settings.replicate_webhook_secret:
        # Imported only here, because Replicate's client takes as long as all the rest of a start.
        from tasks.webhook_secret import webhook_secret

        os.environ["REPLICATE_WEBHOOK_SECRET"] = webhook_secret(settings)
        # The workers would read an empty file rather than this.
        os.environ.pop("REPLICATE_WEBHOOK_SECRET_FILE", None)
except SettingsError as error:
    sys.exit(f"darkroom: {error}")


# Many threads, and pictures are decoded in them; the workers are forked from here and keep to it.
be_sparing()


def _number(name: str, default: int) -> int:
    text = os.environ.get(name) or str(default)
    if not text.isdecimal():
        sys.exit(f"darkroom: {name}: must be a whole number")
    return int(text)


# All interfaces: in a container nobody could reach it otherwise; `--bind` says something else.
bind = f"0.0.0.0:{_number('PORT', 8000)}"
worker_class = "gthread"
workers = _number("WEB_CONCURRENCY", 2)
# Counted in api/rooms.py.
threads = 28
keepalive = 75
# A request's waits are bounded: 7 s for a statement, 5 s for a connection.
timeout = 30
graceful_timeout = 8
# A preview's address holds a shop's, which may have 2048 characters.
limit_request_line = 8190
# Now and then a fresh process, and not all of them at once.
max_requests = 20_000
max_requests_jitter = 2_000
# The API logs its requests itself, with their ids and without their addresses.
accesslog = None
loglevel = settings.log_level.lower()
# Nobody steers it at run time: no socket in somebody's home directory.
control_socket_disable = True


class JsonLogger(Logger):
    """gunicorn's own lines like everybody's: JSON, and no secret in them."""

    def setup(self, cfg):
        """Have the root logger write what gunicorn says."""
        super().setup(cfg)
        configure_logging(settings.log_level, settings)
        self.error_log.handlers.clear()
        self.error_log.propagate = True


logger_class = JsonLogger


def post_worker_init(worker):
    """Let streams hear that their process is to end, or has lost its master: gunicorn waits for
    threads and tells them nothing."""
    watch = worker.wsgi.extensions["darkroom"].watch
    watch.alive = lambda: worker.alive and worker.ppid == os.getppid()
