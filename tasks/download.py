"""Fetching a result before Replicate deletes it, without trusting the address or the answer.

The address comes from outside, and the official client would send the bearer token wherever it
points. This client knows no token, follows no redirect, asks listed hosts only, and connects to
public addresses only: but for the base URL's own host, which the operator named.
"""

import threading
import time

import httpx

from config.settings import Settings
from tasks.connecting import CheckedBackend, CheckedTransport, Lookup, look_up, proxied
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
        self._client = httpx.Client(
            timeout=phases,
            follow_redirects=False,
            headers={"Accept-Encoding": "identity"},
            transport=CheckedTransport(CheckedBackend(lookup, self._trusts)),
            mounts=_proxies(self._base),
        )

    def download_result(self, url: str, stopping: threading.Event | None = None) -> bytes:
        """Return the bytes at `url`, at most `result_max_bytes`.

        Raises `ResultGone` (404, 410), `ResultUnusable` (an address or answer that is refused),
        `Retryable` (anything that may pass) or `Stopping`.
        """
        address = result_address(url, self._base)
        stopping = stopping or threading.Event()
        try:
            with self._client.stream("GET", address) as response:
                self._check(response)
                return self._read(response, stopping)
        except httpx.RequestError as error:
            raise Retryable(f"download: {type(error).__name__}") from error

    def close(self) -> None:
        """Close the idle connections."""
        self._client.close()

    def _trusts(self, host: str, port: int) -> bool:
        return self._private_too or (host, port) == (
            self._base.raw_host.decode(),
            _port(self._base),
        )

    def _check(self, response: httpx.Response) -> None:
        if response.status_code in {404, 410}:
            raise ResultGone(f"download: {response.status_code}")
        if response.is_redirect or 300 <= response.status_code < 400:
            raise ResultUnusable("the result's address redirects elsewhere")
        if response.status_code != 200:
            raise Retryable(f"download: {response.status_code}")
        # Asked for plain bytes, a server that compresses all the same could hide their true size.
        if response.headers.get("Content-Encoding", "identity") != "identity":
            raise ResultUnusable("the result came compressed")
        self._check_size(_announced(response))

    def _check_size(self, size: int) -> None:
        if size > self._largest:
            raise ResultUnusable(f"the result is larger than {self._largest} bytes")

    def _read(self, response: httpx.Response, stopping: threading.Event) -> bytes:
        deadline = time.monotonic() + self._total
        data = bytearray()
        for chunk in response.iter_raw():
            data += chunk
            self._check_size(len(data))
            if stopping.is_set():
                raise Stopping
            if time.monotonic() > deadline:
                raise Retryable(f"download: not finished after {self._total:g} s")
        return bytes(data)


def result_address(url: str, base: httpx.URL) -> httpx.URL:
    """Return the address if it is Replicate's or the base URL's own; else `ResultUnusable`."""
    try:
        address = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise ResultUnusable("the result's address is no URL") from error
    if same_origin(address, base) or _is_delivery(address):
        return address
    raise ResultUnusable("the result's address is not at Replicate")


def _is_delivery(url: httpx.URL) -> bool:
    """Replicate serves outputs from this host and those below it."""
    delivery = url.host == "replicate.delivery" or url.host.endswith(".replicate.delivery")
    return delivery and (url.scheme, url.port, url.userinfo) == ("https", None, b"")


def _port(url: httpx.URL) -> int:
    return url.port or {"http": 80, "https": 443}[url.scheme]


def _proxies(base: httpx.URL) -> dict[str, httpx.BaseTransport]:
    """Given a transport, httpx no longer reads the proxy variables itself."""
    patterns = {
        f"{base.scheme}://{base.host}": proxied(base.scheme, base.host),
        "https://*replicate.delivery": proxied("https", "replicate.delivery"),
    }
    return {
        pattern: httpx.HTTPTransport(proxy=proxy) for pattern, proxy in patterns.items() if proxy
    }


def _announced(response: httpx.Response) -> int:
    length = response.headers.get("Content-Length", "0")
    return int(length) if length.isascii() and length.isdigit() else 0
