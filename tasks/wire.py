"""One HTTP exchange with Replicate: bounded, sent once, and its errors sorted.

The official client retries some calls by itself, sends creates without any time-out, and loses what
it cannot parse. All of that is settled below it, in the transport that it is given.
"""

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

import httpx

from tasks.answers import sort_answer, sort_fault
from tasks.connecting import CheckedTransport, proxied, trusting
from tasks.connections import Connections
from tasks.deadline import all_within
from tasks.provider_errors import NotSent, ProviderError, Retryable

LARGEST_ANSWER = 16 * 2**20


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds for each phase of a call, and for all of it together; to send a `file` takes longer,
    and whoever sends one ends it when the process does."""

    connect: float = 2.0
    read: float = 5.0
    write: float = 2.0
    pool: float = 2.0
    total: float = 7.5
    file: float = 25.0

    @property
    def phases(self) -> httpx.Timeout:
        """What httpx knows of them; `deadline.all_within` knows the total."""
        return httpx.Timeout(connect=self.connect, read=self.read, write=self.write, pool=self.pool)


class Answered(Exception):
    """A good answer of Replicate's. It passes the client by: what that makes of it is not wanted,
    and costs as much as the whole exchange."""

    def __init__(self, document: dict[str, Any]) -> None:
        super().__init__("answered")
        self.document = document


class Wire(httpx.BaseTransport):
    """A transport for `replicate.Client` that raises whatever comes of a request: `Answered` with
    the JSON object of a 2xx answer, or a `ProviderError`.
    """

    def __init__(
        self, base_url: str, token: str, create_headers: Mapping[str, str], timeouts: Timeouts
    ) -> None:
        self._base = httpx.URL(base_url)
        self._token = token.encode()
        self._create_headers = create_headers
        self._timeouts = timeouts
        # Read here: httpx's own reading of the proxy variables would bring hidden retries back.
        proxy = proxied(self._base.scheme, self._base.host)
        self._inner = Connections(lambda: CheckedTransport(trusting(), proxy))
        self._kept = threading.local()

    def gate(self, may_send: Callable[[], bool]) -> None:
        """Ask `may_send` before the next create of this thread puts its first byte on the wire.

        Connecting may take seconds, and what is to be sent may be out of date by then.
        """
        self._kept.may_send = may_send

    def _guard(self, event: str, _facts: Mapping[str, object]) -> None:
        """Hear what httpcore is about to do; what is raised here ends the exchange unsent."""
        if event == "http11.send_request_headers.started" and not self._kept.may_send():
            raise NotSent("the grant was too old once the connection was there")

    def handle_request(self, request: httpx.Request) -> NoReturn:
        """Send the request once and raise what came of it."""
        if not same_origin(request.url, self._base):
            raise Retryable("an address at another host is not followed")
        creating = request.method == "POST" and request.url.path.endswith("/predictions")
        if creating:
            request.headers.update(self._create_headers)
            request.extensions["trace"] = self._guard
        # Raised outside of the handler: httpx's own exception may quote headers, the token too.
        raise self._send(request, creating)

    def close(self) -> None:
        """Close the idle connections."""
        self._inner.close()

    def _send(self, request: httpx.Request, creating: bool) -> Answered | ProviderError:
        try:
            with all_within(self._time_for(request)):
                status, headers, body = self._exchange(request)
        except httpx.RequestError as error:
            return sort_fault(error, creating)
        # An error page that echoes the request must not carry the token into logs.
        document = _read_json(body.replace(self._token, b"[token]"))
        if refusal := sort_answer(status, headers, document, creating):
            return refusal
        assert isinstance(document, dict)
        return Answered(document)

    def _time_for(self, request: httpx.Request) -> float:
        sending = request.method == "POST" and request.url.path.endswith("/files")
        return self._timeouts.file if sending else self._timeouts.total

    def _exchange(self, request: httpx.Request) -> tuple[int, httpx.Headers, bytes]:
        request.extensions["timeout"] = self._timeouts.phases.as_dict()
        response = self._inner.handle_request(request)
        try:
            body = read_answer(response, LARGEST_ANSWER)
        except httpx.RequestError:
            if response.status_code < 400:
                raise
            body = b""  # The status alone says enough about a refusal.
        finally:
            response.close()
        return response.status_code, response.headers, body


def same_origin(url: httpx.URL, base: httpx.URL) -> bool:
    """Tell whether both have one scheme, host and port, and the first brings no password."""
    return (url.scheme, url.host, url.port, url.userinfo) == (
        base.scheme,
        base.host,
        base.port,
        base.userinfo,
    )


def read_answer(response: httpx.Response, largest: int) -> bytes:
    """Return the decoded body; raise `httpx.ReadError` beyond `largest` bytes of it."""
    body = bytearray()
    for chunk in response.iter_bytes():
        body += chunk
        if len(body) > largest:
            raise httpx.ReadError("the answer is too large")
    return bytes(body)


def _read_json(body: bytes) -> object:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
