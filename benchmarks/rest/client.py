"""A client that costs next to nothing: so many connections that are kept alive, in one thread.

Run as a program of its own (`python client.py`), so that it takes no processor time from inside a
server or from whoever measures. It reads one JSON object on standard input,

    {"port": 8000, "seconds": 3.0, "connections": [["GET / HTTP/1.1…", …], …]}

and writes what happened to standard output. Each connection sends its own requests one after the
other, each as soon as the answer to the one before has come, and begins again after the last. A
connection that the server closes (a gunicorn worker retires now and then) is opened anew.
"""

import json
import selectors
import socket
import sys
import time
from collections import Counter
from collections.abc import Sequence
from itertools import cycle
from typing import Any

HEAD_ENDS = b"\r\n\r\n"
# Longer than the server may take for anything that is measured.
PATIENCE = 20.0


class Connection:
    """One connection and the answer that it waits for."""

    def __init__(self, port: int, requests: Sequence[bytes]) -> None:
        self._port = port
        self._requests = cycle(requests)
        self._received = b""
        self._missing = 0
        self.sent_at = 0.0
        self.socket = self._connected()

    def send(self) -> None:
        """Send the next request."""
        self._received, self._missing = b"", 0
        self.sent_at = time.perf_counter()
        self.socket.sendall(next(self._requests))

    def receive(self) -> int | None:
        """Read what has come; return the answer's status once it is whole."""
        part = self.socket.recv(65536)
        if not part:
            raise ConnectionError("closed by the server in the middle of an answer")
        self._received += part
        if not self._missing and HEAD_ENDS in self._received:
            self._missing = _length(self._received)
        if not self._missing or len(self._received) < self._missing:
            return None
        return int(self._received[9:12])

    def closes(self) -> bool:
        """Whether the server said with its answer that it closes the connection."""
        return b"\r\nconnection: close\r\n" in self._received.lower()

    def reopen(self) -> None:
        """Connect anew."""
        self.socket.close()
        self.socket = self._connected()

    def close(self) -> None:
        """Close it."""
        self.socket.close()

    def _connected(self) -> socket.socket:
        opened = socket.create_connection(("127.0.0.1", self._port), PATIENCE)
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return opened


def _length(received: bytes) -> int:
    """How long an answer is, its head included."""
    head, _, _ = received.partition(HEAD_ENDS)
    fields = dict(line.split(b": ", 1) for line in head.lower().split(b"\r\n")[1:])
    return len(head) + len(HEAD_ENDS) + int(fields.get(b"content-length", 0))


def load(connections: Sequence[Connection], seconds: float) -> dict[str, Any]:
    """Keep all of them busy for so long, and wait for the last answers; say how many came, of which
    statuses, and after how many seconds each."""
    statuses: Counter[int] = Counter()
    latencies: list[float] = []
    began, cpu = time.perf_counter(), time.process_time()
    with selectors.DefaultSelector() as selector:
        for connection in connections:
            connection.send()
            selector.register(connection.socket, selectors.EVENT_READ, connection)
        while selector.get_map():
            for connection in _ready(selector):
                status = connection.receive()
                if status is None:
                    continue
                now = time.perf_counter()
                statuses[status] += 1
                latencies.append(now - connection.sent_at)
                if now - began > seconds:
                    selector.unregister(connection.socket)
                    continue
                if connection.closes():
                    selector.unregister(connection.socket)
                    connection.reopen()
                    selector.register(connection.socket, selectors.EVENT_READ, connection)
                connection.send()
    return {
        "seconds": time.perf_counter() - began,
        "cpu": time.process_time() - cpu,
        "latencies": latencies,
        "statuses": dict(statuses),
    }


def _ready(selector: selectors.BaseSelector) -> list[Connection]:
    ready = selector.select(PATIENCE)
    if not ready:
        raise TimeoutError(f"no answer within {PATIENCE} s")
    return [key.data for key, _ in ready]


def main() -> None:
    """Do what standard input says."""
    wish = json.load(sys.stdin)
    connections = [
        Connection(wish["port"], [text.encode() for text in requests])
        for requests in wish["connections"]
    ]
    json.dump(load(connections, wish["seconds"]), sys.stdout)
    for connection in connections:
        connection.close()


if __name__ == "__main__":
    main()
