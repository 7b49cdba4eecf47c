"""Ports of 127.0.0.1."""

import random
import socket

from sandbox.trouble import Trouble


def is_free(port: int) -> bool:
    """Whether a server could listen there now. Closed connections that linger do not matter."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def free_port(besides: set[int]) -> int:
    """A free port below the range that the system gives to clients by chance.

    While a server is down for a restart, nobody gets its port by accident.
    """
    for _ in range(200):
        port = random.randrange(10_240, 32_768)
        if port not in besides and is_free(port):
            return port
    raise Trouble("No free port was found on 127.0.0.1: stop some of the servers that run there.")


def api_port(text: str) -> int:
    """The port that `PORT` names, if a server can listen there."""
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 65_536):
        raise Trouble(f"PORT is {text!r}: it must be a number from 1 to 65535, like PORT=8001.")
    port = int(text)
    if not is_free(port):
        raise Trouble(f"Port {port} is taken: try `make run PORT={_next_free(port)}`.")
    return port


def _next_free(port: int) -> int:
    near = range(port + 1, min(port + 100, 65_536))
    return next((other for other in near if is_free(other)), 0) or free_port(set())
