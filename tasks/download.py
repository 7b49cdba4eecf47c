"""Fetching a result before Replicate deletes it, without trusting the address or the answer.

The address comes from outside, and the official client would send the bearer token wherever it
points. This client knows no token, follows no redirect, asks listed hosts only, and connects to
public addresses only: but for the base URL's own host, which the operator named.
"""

import threading
from functools import partial

import httpx

from config.settings import Settings
from tasks.connecting import CheckedBackend, CheckedTransport, Lookup, look_up
from tasks.connections import Connections
from tasks.deadline import all_within
from tasks.fetching import ByProxy, Unreadable, got, read_all
from tasks.provider_errors import ResultGone, ResultUnusable, Retryable
from tasks.wire import same_origin

# A connection takes the lookup with TCP, and then TLS, each this long at most, and then one read:
# below 8 s in all.
# Between reads somebody looks at `stopping`.
PHASES = httpx.Timeout(connect=1.25, read=5.0, write=1.0, pool=1.0)


class Stopping(Exception):
    """The process is ending; what was under way has been left for another one."""


class Downloader:
    """Fetches results; thread-safe, one per process. `total` is the seconds that one may take."""

    def __init__(
        self,
        settings: Settings,
        phases: httpx.Timeout = PHASES,
        total: float = 60.0,
        lookup: Lookup = look_up,
    ) -> None:
        self._base = httpx.URL(settings.replicate_base_url)
        self._private_too = settings.allow_private_image_urls
        self._largest = settings.result_max_bytes
        self._total = total
        backend = CheckedBackend(lookup, self._trusts)
        self._phases = phases
        self._transport = ByProxy(Connections(lambda: CheckedTransport(backend)))

    def download_result(self, url: str, stopping: threading.Event | None = None) -> bytes:
        """Return the bytes at `url`, at most `result_max_bytes`.

        Raises `ResultGone` (404, 410), `ResultUnusable` (an address or answer that is refused),
        `Retryable` (anything that may pass) or `Stopping`.
        """
        address = result_address(url, self._base)
        stopping = stopping or threading.Event()
        try:
            with all_within(self._total), got(self._transport, address, self._phases) as response:
                _check_status(response)
                return read_all(response, self._largest, partial(_unless, stopping))
        except Unreadable as error:
            raise ResultUnusable(f"the result: {error}") from error
        except httpx.RequestError as error:
            raise Retryable(f"download: {type(error).__name__}") from error

    def close(self) -> None:
        """Close the idle connections."""
        self._transport.close()

    def _trusts(self, host: str, port: int) -> bool:
        return self._private_too or (host, port) == (
            self._base.raw_host.decode(),
            _port(self._base),
        )


def result_address(url: str, base: httpx.URL) -> httpx.URL:
    """Return the address if it is Replicate's or the base URL's own; else `ResultUnusable`."""
    try:
        address = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise ResultUnusable("the result's address is no URL") from error
    if same_origin(address, base) or _is_delivery(address):
        return address
    raise ResultUnusable("the result's address is not at Replicate")


def _check_status(response: httpx.Response) -> None:
    if response.status_code in {404, 410}:
        raise ResultGone(f"download: {response.status_code}")
    if response.is_redirect or 300 <= response.status_code < 400:
        raise ResultUnusable("the result's address redirects elsewhere")
    if response.status_code != 200:
        raise Retryable(f"download: {response.status_code}")


def _unless(stopping: threading.Event) -> None:
    if stopping.is_set():
        raise Stopping


def _is_delivery(url: httpx.URL) -> bool:
    """Replicate serves outputs from this host and those below it."""
    delivery = url.host == "replicate.delivery" or url.host.endswith(".replicate.delivery")
    return delivery and (url.scheme, url.port, url.userinfo) == ("https", None, b"")


def _port(url: httpx.URL) -> int:
    return url.port or {"http": 80, "https": 443}[url.scheme]
