"""Connections that stay open, of which the one used last is used next.

httpcore's own pool looks at every idle connection, with a system call each, when a request begins
and again when it ends: ten threads that share one pay a third more for each call. And with few
calls it matters which one is taken: the one used last is the least likely to have been closed at
the other side by now.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator

import httpx

from tasks.connecting import KEPT_OPEN

# So many are kept at the most when nobody needs them.
MOST_IDLE = 20


class Connections(httpx.BaseTransport):
    """As many transports as there are requests at a time, each of which `connect` makes.

    They are for few hosts: an idle one may have its connection to another. Thread-safe.
    """

    def __init__(
        self,
        connect: Callable[[], httpx.BaseTransport],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._connect = connect
        self._clock = clock
        self._lock = threading.Lock()
        # With when each was used last, the longest idle first.
        self._idle: deque[tuple[float, httpx.BaseTransport]] = deque()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send it; its connection is free again when the answer is closed."""
        transport = self._take()
        try:
            response = transport.handle_request(request)
        except BaseException:
            self._give_back(transport)
            raise
        assert isinstance(response.stream, httpx.SyncByteStream)
        response.stream = _Borrowed(response.stream, lambda: self._give_back(transport))
        return response

    def close(self) -> None:
        """Close the idle ones."""
        with self._lock:
            idle = list(self._idle)
            self._idle.clear()
        for _since, transport in idle:
            transport.close()

    def _take(self) -> httpx.BaseTransport:
        with self._lock:
            if self._idle:
                return self._idle.pop()[1]
        return self._connect()

    def _give_back(self, transport: httpx.BaseTransport) -> None:
        """Keep it for the next request, and close the one that nobody needed for too long."""
        now, old = self._clock(), None
        with self._lock:
            self._idle.append((now, transport))
            if len(self._idle) > MOST_IDLE or self._idle[0][0] < now - KEPT_OPEN:
                _since, old = self._idle.popleft()
        if old:
            old.close()


class _Borrowed(httpx.SyncByteStream):
    """The body of an answer, which gives its connection back when it is closed, once."""

    def __init__(self, body: httpx.SyncByteStream, give_back: Callable[[], None]) -> None:
        self._body = body
        self._give_back: Callable[[], None] | None = give_back

    def __iter__(self) -> Iterator[bytes]:
        yield from self._body

    def close(self) -> None:
        self._body.close()
        if give_back := self._give_back:
            self._give_back = None
            give_back()
