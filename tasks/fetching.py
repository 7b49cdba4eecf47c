"""What every fetch from an address of somebody else's shares, whoever it is for.

The client knows no token, keeps no cookie and follows no redirect, and connects to what was checked
only. What it reads is bounded before it is kept.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.cookiejar import CookieJar, DefaultCookiePolicy
from urllib.request import getproxies

import httpx

from tasks.connecting import CheckedTransport, proxied, trusting


class Unreadable(Exception):
    """What came must not be read: it is compressed, or larger than it may be."""


class ByProxy(httpx.BaseTransport):
    """Asks the proxy that the environment names for an address, and where it names none, the
    address itself. Given a transport, httpx no longer reads those variables."""

    def __init__(self, straight: httpx.BaseTransport) -> None:
        self._straight = straight
        proxies = {proxy for scheme, proxy in getproxies().items() if scheme in {"http", "https"}}
        self._proxies = {proxy: CheckedTransport(trusting(), proxy) for proxy in proxies}

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send it the way that it has to go; to find that out reads all of the environment."""
        if not self._proxies:
            return self._straight.handle_request(request)
        proxy = proxied(request.url.scheme, request.url.host)
        return self._proxies.get(proxy or "", self._straight).handle_request(request)

    def close(self) -> None:
        """Close the idle connections."""
        for transport in (self._straight, *self._proxies.values()):
            transport.close()


def no_cookies() -> CookieJar:
    """Return what keeps no cookie: one client may ask for several shops."""
    return CookieJar(DefaultCookiePolicy(allowed_domains=()))


def bare_client(
    straight: httpx.BaseTransport, phases: httpx.Timeout, **headers: str
) -> httpx.Client:
    """Return a client that tells nothing but what it wants, over `straight` where no proxy is
    named; header names with underscores."""
    return httpx.Client(
        timeout=phases,
        follow_redirects=False,
        trust_env=False,
        cookies=no_cookies(),
        headers={"Accept-Encoding": "identity"}
        | {name.replace("_", "-"): value for name, value in headers.items()},
        transport=ByProxy(straight),
    )


@contextmanager
def got(
    transport: httpx.BaseTransport, url: httpx.URL, phases: httpx.Timeout
) -> Iterator[httpx.Response]:
    """Get what is at `url`, with no client at all: there is nothing that it could tell or keep."""
    headers = {"Accept": "*/*", "Accept-Encoding": "identity", "User-Agent": "Darkroom"}
    timeout = {"timeout": phases.as_dict()}
    response = transport.handle_request(
        httpx.Request("GET", url, headers=headers, extensions=timeout)
    )
    try:
        yield response
    finally:
        response.close()


def read_all(
    response: httpx.Response, largest: int, between: Callable[[], object] = lambda: None
) -> bytes:
    """Return the body, at most `largest` bytes; call `between` after each piece of it.

    Raises `Unreadable`.
    """
    # Asked for plain bytes, a server that compresses all the same could hide their true size.
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise Unreadable("it came compressed")
    _check_size(_announced(response), largest)
    data = bytearray()
    for chunk in response.iter_raw():
        data += chunk
        _check_size(len(data), largest)
        between()
    return bytes(data)


def _check_size(size: int, largest: int) -> None:
    if size > largest:
        raise Unreadable(f"it is larger than {largest} bytes")


def _announced(response: httpx.Response) -> int:
    length = response.headers.get("Content-Length", "0")
    return int(length) if length.isascii() and length.isdigit() else 0
