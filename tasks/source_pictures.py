"""Fetching a shop's own picture, to show it: from any public address, and from nowhere else.

The address was checked when it was ordered, but time has passed, and a host may redirect: so each
hop is checked again by the same rule, and where its name leads is checked as it is connected to.
"""

import httpx

from config.settings import Settings
from tasks.connecting import CheckedBackend, CheckedTransport, Lookup, PrivateAddress, look_up
from tasks.deadline import all_within
from tasks.fetching import Unreadable, bare_client, read_all
from tasks.image_urls import fault_of

LARGEST = 20 * 2**20
MOST_REDIRECTS = 3
TOTAL = 10.0
PHASES = httpx.Timeout(connect=3.0, read=5.0, write=1.0, pool=1.0)
# Statuses after which the same request may well succeed; others of 400 and more mean a refusal.
PASSING = {408, 425, 429}
ACCEPT = "image/jpeg, image/png, image/webp, image/*;q=0.8"


class SourceUnavailable(Exception):
    """There is no picture for everybody at this address."""


class SourceSlow(Exception):
    """The address did not answer in time, or failed as it did; it may do better later."""


class SourcePictures:
    """Fetches them; thread-safe, one per process. `total` is the seconds that one may take."""

    def __init__(
        self,
        settings: Settings,
        phases: httpx.Timeout = PHASES,
        total: float = TOTAL,
        lookup: Lookup = look_up,
    ) -> None:
        self._private_too = settings.allow_private_image_urls
        self._total = total
        backend = CheckedBackend(lookup, lambda _host, _port: self._private_too)
        self._client = bare_client(
            CheckedTransport(backend), phases, Accept=ACCEPT, User_Agent="Darkroom"
        )

    def fetch(self, url: str) -> bytes:
        """Return the bytes at `url`, at most `LARGEST`.

        Raises `SourceUnavailable` or `SourceSlow`.
        """
        try:
            with all_within(self._total):
                return self._follow(url)
        except (PrivateAddress, Unreadable, httpx.InvalidURL, httpx.ConnectError) as error:
            raise SourceUnavailable(type(error).__name__) from error
        except httpx.RequestError as error:
            raise SourceSlow(type(error).__name__) from error

    def close(self) -> None:
        """Close the idle connections."""
        self._client.close()

    def _follow(self, url: str) -> bytes:
        for _hop in range(MOST_REDIRECTS + 1):
            if fault_of(url, self._private_too):
                raise SourceUnavailable("its address may not name an image")
            with self._client.stream("GET", url) as response:
                if not response.has_redirect_location:
                    _check(response.status_code)
                    return read_all(response, LARGEST)
                url = str(response.url.join(response.headers["Location"]))
        raise SourceUnavailable(f"more than {MOST_REDIRECTS} redirects")


def _check(status: int) -> None:
    if status >= 500 or status in PASSING:
        raise SourceSlow(f"status {status}")
    if status != 200:
        raise SourceUnavailable(f"status {status}")
