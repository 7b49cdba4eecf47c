"""The server that everybody sends to: it notes when, by its own monotonic clock, and answers.

A process first connects and sends a `+`: it is ready. All of them get a `+` back at the same
moment, the start. From then on each `.` is one send, and is answered by a `.` when it was noted.
"""

import selectors
import socket
import threading
import time

READY, SEND = b"+", b"."


class Receiver:
    """One server on 127.0.0.1, in a thread of its own."""

    def __init__(self) -> None:
        self.arrivals: list[float] = []
        self._server = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port: int = self._server.getsockname()[1]
        self._waiting: list[socket.socket] = []
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._server, selectors.EVENT_READ)
        self._ended = False
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    @property
    def ready(self) -> int:
        """How many processes wait for the start."""
        return len(self._waiting)

    def start(self) -> None:
        """Let everybody begin."""
        for each in self._waiting:
            each.sendall(READY)

    def close(self) -> None:
        """End all connections."""
        self._ended = True
        self._thread.join(5)
        for key in list(self._selector.get_map().values()):
            assert isinstance(key.fileobj, socket.socket)
            key.fileobj.close()
        self._selector.close()

    def _serve(self) -> None:
        while not self._ended:
            for key, _ in self._selector.select(0.1):
                assert isinstance(key.fileobj, socket.socket)
                if key.fileobj is self._server:
                    self._accept()
                else:
                    self._read(key.fileobj)

    def _accept(self) -> None:
        connection, _ = self._server.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._selector.register(connection, selectors.EVENT_READ)

    def _read(self, connection: socket.socket) -> None:
        try:
            heard = connection.recv(4096)
        except ConnectionError:  # Its process was killed.
            heard = b""
        now = time.monotonic()
        if not heard:
            self._selector.unregister(connection)
            connection.close()
        elif heard.startswith(READY):
            self._waiting.append(connection)
        else:
            self.arrivals.extend([now] * len(heard))
            try:
                connection.sendall(heard)
            except ConnectionError:  # Likewise; the next look reads its end.
                return


class Sender:
    """One connection to a receiver."""

    def __init__(self, port: int) -> None:
        self._connection = socket.create_connection(("127.0.0.1", port))
        self._connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def say_ready(self) -> None:
        self._connection.sendall(READY)

    def wait_for_start(self) -> None:
        self._connection.recv(1)

    def send(self) -> None:
        """Send once, and return when it has arrived."""
        self._connection.sendall(SEND)
        self._connection.recv(1)

    def close(self) -> None:
        self._connection.close()
