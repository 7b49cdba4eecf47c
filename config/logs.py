"""JSON logs on standard error, one object a line, with the ids that are bound to the context.

Standard output is for the answer of a command.
"""

import logging
import sys

import structlog
from structlog.tracebacks import ExceptionDictTransformer

SHARED: list[structlog.types.Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    # Without the frames' variables: there are tokens and passwords among them.
    structlog.processors.ExceptionRenderer(ExceptionDictTransformer(show_locals=False)),
]


def configure_logging(level: str) -> None:
    """Send structlog's and the standard library's records through one JSON renderer."""
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
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    # httpx names every request with its full URL at INFO: signed URLs do not belong in a log.
    logging.getLogger("httpx").setLevel(logging.WARNING)
