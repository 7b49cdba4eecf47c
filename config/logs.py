"""JSON logs on standard error, one object a line, with the ids that are bound to the context.

Standard output is for the answer of a command. Whatever a library says, no line holds a secret.
"""

import json
import logging
import re
import sys
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import structlog
from structlog.tracebacks import ExceptionDictTransformer

from config.settings import Settings

SHARED: list[structlog.types.Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    # Without the frames' variables: there are tokens and passwords among them.
    structlog.processors.ExceptionRenderer(ExceptionDictTransformer(show_locals=False)),
]
# Who logs that a message came, and that its task is over.
MESSAGES = ("celery.worker.strategy", "celery.app.trace")
HIDDEN = "***"
# A URL's password, a shop's token, a key of Replicate or of its webhooks, any bearer.
SECRETS = (
    r"(?<=://)[^/\s:@\"]*:[^/\s@\"]+(?=@)",
    r"\bdk_[A-Za-z0-9_-]{16,}",
    r"\br8_[A-Za-z0-9_-]{8,}",
    r"\bwhsec_[A-Za-z0-9+/=]{8,}",
    r"(?i:(?<=bearer ))[A-Za-z0-9._~+/-]{8,}=*",
)
# What a line must hold, in small letters, for one of these to be in it. Nearly none does, and to
# look for it costs a tenth of the expression.
MARKS = ("@", "dk_", "r8_", "whsec_", "bearer ")


def configure_logging(level: str, settings: Settings | None = None) -> None:
    """Send structlog's and the standard library's records through one JSON renderer.

    With `settings`, their secrets are hidden also where they are not written like one.
    """
    structlog.configure(
        processors=[*SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=SHARED,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
                _hider(settings),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    # httpx names every request with its full URL at INFO: signed URLs do not belong in a log.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    # And alembic names each of its plugins whenever a process starts.
    logging.getLogger("alembic.runtime.plugins").setLevel(logging.WARNING)
    _quiet_messages(root.level)


def _quiet_messages(level: int) -> None:
    """Celery has two lines at INFO for each message, which Flower shows as well: they cost a worker
    more than its own, which tell of the images."""
    quiet = logging.NOTSET if level <= logging.DEBUG else max(level, logging.WARNING)
    for name in MESSAGES:
        logging.getLogger(name).setLevel(quiet)


def _hider(settings: Settings | None) -> Callable[[Any, str, Any], str]:
    """The last step: it sees the line as it is written, whoever said what in which field."""
    own = [json.dumps(secret)[1:-1] for secret in _secrets(settings)]
    secret = re.compile("|".join([*map(re.escape, own), *SECRETS]))
    marks = [*MARKS, *(each.lower() for each in own)]

    def hide(_logger: object, _method: str, line: Any) -> str:
        small = line.lower()
        return secret.sub(HIDDEN, line) if any(mark in small for mark in marks) else line

    return hide


def _secrets(settings: Settings | None) -> list[str]:
    """Those long enough to be no ordinary word; longer ones first, one may begin like another."""
    if settings is None:
        return []
    given = (
        settings.secret_key,
        settings.replicate_api_token,
        settings.metrics_token,
        settings.flower_basic_auth.partition(":")[2],
        settings.sentry_dsn,
        urlsplit(settings.redis_url).password or "",
        urlsplit(settings.database_url).password or "",
        settings.wix_app_secret,
        *settings.replicate_webhook_secret,
    )
    return sorted({secret for secret in given if len(secret) >= 8}, key=len, reverse=True)
