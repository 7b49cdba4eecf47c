"""Whether the client of a request that lasts is still there.

A server hears of a client that has left when it writes, and then only of the second write: a stream
in which nothing happens would hold its place for half a minute more.
"""

import socket

from flask import request

# Where the servers put the request's socket: gunicorn, and werkzeug's own.
KEYS = ("gunicorn.socket", "werkzeug.socket")


class Connection:
    """That of the current request. Where its socket is not known, or TLS ends in it (and hides what
    is on the way), the client counts as being there."""

    def __init__(self) -> None:
        found = (request.environ.get(key) for key in KEYS)
        self._socket = next((each for each in found if type(each) is socket.socket), None)

    def has_ended(self) -> bool:
        """Whether the client has closed it; looks, and reads nothing."""
        if self._socket is None:
            return False
        try:
            return not self._socket.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False
        except OSError:
            return True
