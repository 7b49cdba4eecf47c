"""Connecting to what was checked: each name is looked up once, and that answer is what is used.

A name that is checked first and then looked up again by the connection may give a public address
the first time and a private one the second (DNS rebinding). So the check sits below HTTP and TLS,
where the connection is made: they go on to see the name, in Host, in SNI and in the certificate.
"""

import os
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from functools import cache, partial
from ipaddress import ip_address
from urllib.request import getproxies, proxy_bypass

import httpcore
import httpx

from tasks.addresses import is_public
from tasks.deadline import Timed, within
from tasks.provider_errors import Retryable

# Seconds; httpx's default of 5 would let every connection go between two slots of 6 s.
KEPT_OPEN = 120.0
LIMITS = httpx.Limits(max_connections=100, max_keepalive_connections=20, keepalive_expiry=KEPT_OPEN)

Lookup = Callable[[str, int], Sequence[str]]
"""From a host and a port to the addresses in numbers, best first; raises `OSError`."""


class PrivateAddress(Retryable):
    """A name that leads into a private network; it may lead elsewhere another time."""


class CheckedBackend(httpcore.NetworkBackend):
    """Connects to public addresses, and to whatever `trusted`, a host with its port, leads to.

    One private address among several refuses them all. Looking up and trying the addresses take
    the time-out of a connection together.
    """

    def __init__(
        self,
        lookup: Lookup,
        trusted: Callable[[str, int], bool],
        inner: httpcore.NetworkBackend | None = None,
    ) -> None:
        self._lookup = lookup
        self._trusted = trusted
        self._inner = inner or httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Look up, check, and connect to the first address that answers."""
        assert timeout is not None
        timeout = within(timeout, httpcore.ConnectTimeout)
        deadline = time.monotonic() + timeout
        addresses = bounded(self._lookup, host, port, timeout)
        if not self._trusted(host, port):
            _refuse_private(addresses)
        connect = partial(
            self._inner.connect_tcp, local_address=local_address, socket_options=socket_options
        )
        return Timed(_first_that_answers(connect, addresses, port, deadline))


def _first_that_answers(
    connect: Callable[..., httpcore.NetworkStream],
    addresses: Sequence[str],
    port: int,
    deadline: float,
) -> httpcore.NetworkStream:
    """Each gets its share of the time that is left, so that a dead one does not use it up."""
    for number, address in enumerate(addresses):
        share = (deadline - time.monotonic()) / (len(addresses) - number)
        try:
            return connect(address, port, max(share, 0.01))
        except (httpcore.ConnectError, httpcore.ConnectTimeout):
            if address == addresses[-1]:
                raise
    raise httpcore.ConnectError("the name has no address")


def _refuse_private(addresses: Sequence[str]) -> None:
    if not all(is_public(ip_address(address.partition("%")[0])) for address in addresses):
        raise PrivateAddress("its host leads into a private network")


def look_up(host: str, port: int) -> list[str]:
    """Ask the system's resolver, which has no time-out of its own."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_kind, address in found))


def bounded(lookup: Lookup, host: str, port: int, timeout: float) -> Sequence[str]:
    """Return what `lookup` finds within `timeout` seconds; else raise `httpcore.ConnectTimeout`.

    A lookup that hangs is left behind in its thread, which keeps no process from ending.
    """
    outcome: list[Sequence[str] | OSError] = []

    def run() -> None:
        try:
            outcome.append(lookup(host, port))
        except (OSError, UnicodeError) as error:
            outcome.append(error if isinstance(error, OSError) else OSError(str(error)))

    thread = threading.Thread(target=run, daemon=True, name="lookup")
    thread.start()
    thread.join(timeout)
    if not outcome:
        raise httpcore.ConnectTimeout("the name was not looked up in time")
    if isinstance(outcome[0], OSError):
        raise httpcore.ConnectError("the name cannot be looked up") from outcome[0]
    return outcome[0]


def trusting() -> CheckedBackend:
    """Return a backend for what the operator names: it may lie anywhere, but is `Timed` too."""
    return CheckedBackend(look_up, lambda _host, _port: True)


class CheckedTransport(httpx.HTTPTransport):
    """httpx's own transport on a backend of ours, for which it has no argument.

    Nothing is sent twice: a broken connection is the caller's to judge.
    """

    def __init__(self, backend: CheckedBackend, proxy: str | None = None) -> None:
        named = (os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))
        super().__init__(verify=_trust(*named), proxy=proxy, limits=LIMITS, retries=0)
        self._pool._network_backend = backend


@cache
def _trust(_file: str | None, _folder: str | None) -> ssl.SSLContext:
    """The authorities that the environment names, or else the usual ones, read once for all clients
    of a process: the usual ones take a megabyte and 20 ms."""
    return httpx.create_ssl_context()


def proxied(scheme: str, host: str) -> str | None:
    """Return the proxy that the environment names for such requests.

    It looks names up itself, so what may be reached is its operator's decision.
    """
    return None if proxy_bypass(host) else getproxies().get(scheme)
