"""One HTTP exchange with Wix: bounded in size, sent once, followed nowhere.

Each of its phases has its bound; the end of all of it is the asker's to set, by `all_within`.
"""

import json
from dataclasses import dataclass
from typing import Any

import httpx

from api.catalogue.errors import CatalogueUnavailable
from tasks.connecting import CheckedTransport, proxied, trusting
from tasks.fetching import no_cookies
from tasks.wire import Timeouts, read_answer

TIMEOUTS = Timeouts(connect=1.25, read=5.0, write=2.0, pool=1.0, total=5.0)
# A hundred products with 15 images each come in about 2 MB.
LARGEST_ANSWER = 8 * 2**20


@dataclass(frozen=True, slots=True)
class Answer:
    """What Wix said. `document` is its JSON object, empty where there was none."""

    status: int
    document: dict[str, Any]


class WixWire:
    """Sends requests to Wix; thread-safe, one per process."""

    def __init__(self, base_url: str, timeouts: Timeouts = TIMEOUTS) -> None:
        base = httpx.URL(base_url)
        self._client = httpx.Client(
            base_url=base,
            timeout=timeouts.phases,
            follow_redirects=False,
            cookies=no_cookies(),
            transport=CheckedTransport(trusting(), proxied(base.scheme, base.host)),
        )

    def send(self, method: str, path: str, **what: Any) -> Answer:
        """Return the answer to a request that Wix has understood, or refused for good.

        Raises `CatalogueUnavailable` for what may pass: no connection, 429, 5xx, too slow, too
        large, not JSON.
        """
        try:
            answer = self._exchange(method, path, what)
        except httpx.RequestError as error:
            # Not its text nor itself: httpx's exceptions hold the request, the secret in it too.
            raise _away(method, path, type(error).__name__) from None
        if answer.status == 429 or answer.status >= 500 or 300 <= answer.status < 400:
            raise _away(method, path, str(answer.status))
        if answer.status == 200 and not answer.document:
            raise _away(method, path, "an answer that is no JSON object")
        return answer

    def close(self) -> None:
        """Close the idle connections."""
        self._client.close()

    def _exchange(self, method: str, path: str, what: dict[str, Any]) -> Answer:
        with self._client.stream(method, path, **what) as response:
            body = read_answer(response, LARGEST_ANSWER)
        return Answer(response.status_code, _document(body))


def _document(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _away(method: str, path: str, why: str) -> CatalogueUnavailable:
    return CatalogueUnavailable(f"Wix, {method} {path}: {why}")
