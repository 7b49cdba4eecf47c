"""A loopback HTTP server that answers each request as the test scripted it, faults included."""

import contextlib
import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

Script = Callable[[socket.socket], object]
"""What to do with the connection; returning `CLOSED` closes it."""


@dataclass
class Request:
    """What arrived: the first line's parts, headers with lower-case names, the body."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


@dataclass
class ScriptedServer:
    """Plays one script per request, in order, and the last one for all that follow."""

    scripts: list[Script] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    responder: Callable[[Request], Script] | None = None
    over: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._turn = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def play(self, *scripts: Script) -> None:
        """Answer the coming requests by these scripts."""
        self.scripts[:] = scripts
        self.requests.clear()

    def close(self) -> None:
        """Take no more connections, and end the scripts that wait."""
        self.over.set()
        self._listener.shutdown(socket.SHUT_RDWR)  # A mere close leaves it open while it accepts.
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            while request := _read_request(connection):
                if self._next_script(request)(connection) is CLOSED:
                    return

    def _next_script(self, request: Request) -> Script:
        with self._turn:
            self.requests.append(request)
            if self.responder:
                return self.responder(request)
            return self.scripts.pop(0) if len(self.scripts) > 1 else self.scripts[0]


CLOSED = object()


@contextlib.contextmanager
def scripted_server() -> Iterator[ScriptedServer]:
    """Run a server for one test."""
    server = ScriptedServer()
    try:
        yield server
    finally:
        server.close()


def answer(status: int, body: object = None, **headers: str) -> Script:
    """Answer with JSON, or with bytes as they are; header names are written with underscores."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = {"Content-Length": str(len(content)), **headers}
    return lambda connection: connection.sendall(_head(status, lines) + content)  # keeps it alive


def truncated(status: int, body: bytes) -> Script:
    """Announce more than comes, then close."""
    head = _head(status, {"Content-Length": str(len(body) + 100)})

    def script(connection: socket.socket) -> object:
        connection.sendall(head + body)
        return CLOSED

    return script


def garbage(connection: socket.socket) -> object:
    """Answer with what is not HTTP."""
    connection.sendall(b"\x00\xff it is not HTTP at all \r\n\r\n")
    return CLOSED


def close(connection: socket.socket) -> object:
    """Close in peace without an answer."""
    return CLOSED


def reset(connection: socket.socket) -> object:
    """Break the connection off by a TCP reset."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return CLOSED


def silence(server: ScriptedServer) -> Script:
    """Say nothing until the test is over."""
    return lambda connection: (server.over.wait(30), CLOSED)[1]


def dripping(server: ScriptedServer, head: bytes, pause: float) -> Script:
    """Send the head, then one byte at a time, until the test is over."""

    def script(connection: socket.socket) -> object:
        connection.sendall(head)
        while not server.over.wait(pause):
            connection.sendall(b" ")
        return CLOSED

    return script


def _head(status: int, headers: dict[str, str]) -> bytes:
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([f"HTTP/1.1 {status} Scripted", *lines, "", ""]).encode()


def _read_request(connection: socket.socket) -> Request | None:
    data = b""
    while b"\r\n\r\n" not in data:
        if not (more := connection.recv(65536)):
            return None
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines)}
    while len(body) < int(headers.get("content-length", "0")):
        body += connection.recv(65536)
    method, target, _ = first.split(" ")
    return Request(method, target, headers, body)
