"""A whole answer's time, kept while its head comes too.

httpcore asks for a time-out at the start of each phase and then allows it to every single read: a
head that drips in, a byte at a time, would hold a thread for hours.
"""

import ssl
import threading
from collections.abc import Iterable
from typing import Any

import httpcore

from tasks.wire import TimeLeft


class InTime(httpcore.NetworkBackend):
    """Connections whose reads end when the calling thread's time does."""

    def __init__(self, inner: httpcore.NetworkBackend) -> None:
        self._inner = inner
        self._own = threading.local()

    def begin(self, left: TimeLeft) -> None:
        """Say what time this thread has for its next exchange: httpx reads in the asking thread."""
        self._own.left = left

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect as the inner backend does."""
        stream = self._inner.connect_tcp(host, port, timeout, local_address, socket_options)
        return _Stream(stream, self._own)


class _Stream(httpcore.NetworkStream):
    """Looks at the clock before each read."""

    def __init__(self, inner: httpcore.NetworkStream, own: threading.local) -> None:
        self._inner = inner
        self._own = own

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002
        left: TimeLeft = self._own.left
        if left.over:
            raise httpcore.ReadTimeout("the answer dripped in too slowly")
        return self._inner.read(max_bytes, left.get("read"))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, timeout)

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, timeout), self._own)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)
