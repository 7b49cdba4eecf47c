"""One end for all that a piece of work does on the network, however many steps it takes.

Time-outs count from byte to byte, so a server that sends one now and then is never late by them:
not even in its headers, which nobody sees before they are whole.
"""

import math
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import httpcore

_END = ContextVar("end", default=math.inf)


@contextmanager
def all_within(seconds: float) -> Iterator[None]:
    """End whatever this thread does in here, on streams that are `Timed`, after so long.

    What runs within another end keeps that one too.
    """
    before = _END.set(min(_END.get(), time.monotonic() + seconds))
    try:
        yield
    finally:
        _END.reset(before)


def within(timeout: float | None, late: type[Exception]) -> float:
    """Return the seconds that a step may take; raise `late` where there are none left.

    Without an end and a `timeout` that is `inf`.
    """
    left = _END.get() - time.monotonic()
    if left <= 0:
        raise late("all of it took too long")
    return left if timeout is None else min(timeout, left)


class Timed(httpcore.NetworkStream):
    """A connection on which no step goes on beyond the end."""

    def __init__(self, inner: httpcore.NetworkStream) -> None:
        self._inner = inner

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read what is there."""
        return self._inner.read(max_bytes, within(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write all of it."""
        self._inner.write(buffer, within(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        """Close the connection."""
        self._inner.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        """Go on with TLS."""
        seconds = within(timeout, httpcore.ConnectTimeout)
        return Timed(self._inner.start_tls(ssl_context, server_hostname, seconds))

    def get_extra_info(self, info: str) -> Any:
        """Tell about the connection."""
        return self._inner.get_extra_info(info)
