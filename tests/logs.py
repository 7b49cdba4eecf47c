"""What a process logs, as production formats it.

`structlog.testing.capture_logs` sees nothing of a logger that was used before in this process while
logging was set up as in production: such a logger keeps what it was given.
"""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import StringIO
from typing import Any

import structlog

from config.logs import configure_logging
from config.settings import Settings


@dataclass(frozen=True)
class Written:
    """The lines that were written until now."""

    stream: StringIO = field(default_factory=StringIO)

    @property
    def text(self) -> str:
        """All of them as they stand there."""
        return self.stream.getvalue()

    def lines(self, **facts: object) -> list[dict[str, Any]]:
        """Those that say this."""
        read = map(json.loads, self.text.splitlines())
        return [line for line in read if facts.items() <= line.items()]


@contextmanager
def production_logs(settings: Settings | None = None, level: str = "INFO") -> Iterator[Written]:
    """Log as production does, into memory; with `settings`, hide their secrets."""
    root = logging.getLogger()
    handlers, before = root.handlers[:], root.level
    configure_logging(level, settings)
    (handler,) = root.handlers
    assert isinstance(handler, logging.StreamHandler)
    written = Written()
    handler.setStream(written.stream)
    try:
        yield written
    finally:
        root.handlers[:], root.level = handlers, before
        structlog.reset_defaults()
