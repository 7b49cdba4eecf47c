"""When a request came, which may be long before a busy machine lets this process look at it."""

import socket
import struct
import sys
import time

from tornado.http1connection import HTTP1Connection
from tornado.httputil import HTTPServerRequest
from tornado.iostream import IOStream

# Linux's `struct tcp_info` up to tcpi_last_data_recv: 8 bytes, then numbers of 32 bits.
TCP_INFO = struct.Struct("8x12I")
# The kernel counts in ticks of up to this many seconds: so much sooner it may seem to have come.
TICK = 0.01


def arrived(request: HTTPServerRequest) -> float:
    """The moment, by `time.monotonic`, at which the last bytes of a request came, or up to `TICK`
    later. Only Linux's kernel tells; elsewhere it is now."""
    connection = request.connection
    if isinstance(connection, HTTP1Connection) and isinstance(connection.stream, IOStream):
        return time.monotonic() - max(0.0, _waited(connection.stream.socket) - TICK)
    return time.monotonic()


def _waited(connection: socket.socket) -> float:
    """For how many seconds what came last has been there."""
    if sys.platform != "linux":
        return 0.0
    told = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, TCP_INFO.size)
    return float(TCP_INFO.unpack(told)[-1]) / 1000
