"""One HTTP exchange with a shop's app: signed, bounded, and only with what is on the internet.

Signed after Standard Webhooks (https://www.standardwebhooks.com). The client knows no token, keeps
no cookie and follows no redirect, and connects to the address that was checked. Of the answer only
the status counts.
"""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from math import floor

import httpx
from standardwebhooks.webhooks import Webhook

from config.settings import Settings
from tasks.connecting import CheckedBackend, CheckedTransport, Lookup, PrivateAddress, look_up
from tasks.deadline import all_within
from tasks.fetching import Unreadable, bare_client, read_all
from tasks.webhook_urls import fault_of

# A process ends within 8 s of being told to, and lets a try that has begun come to its end.
TOTAL = 6.5
PHASES = httpx.Timeout(connect=2.5, read=6.0, write=2.0, pool=1.0)
# A short answer is read, so that its connection can be used again; what is longer is cut off.
LARGEST_ANSWER = 16 * 2**10


@dataclass(frozen=True, slots=True)
class Answer:
    """The HTTP status of the receiver, or None with a sentence that says why there is none."""

    status: int | None
    error: str | None = None

    @property
    def accepted(self) -> bool:
        """Whether the receiver has it."""
        return self.status is not None and 200 <= self.status < 300


class Courier:
    """Sends webhooks; thread-safe, one per process. `total` is the seconds that one may take."""

    def __init__(
        self,
        settings: Settings,
        phases: httpx.Timeout = PHASES,
        total: float = TOTAL,
        lookup: Lookup = look_up,
    ) -> None:
        self._private_too = settings.allow_private_webhook_urls
        self._total = total
        backend = CheckedBackend(lookup, lambda _host, _port: self._private_too)
        self._client = bare_client(
            CheckedTransport(backend),
            phases,
            Content_Type="application/json",
            User_Agent="Darkroom",
        )

    def send(
        self, url: str, message_id: str, at: datetime, body: str, secrets: Sequence[str]
    ) -> Answer:
        """Post `body` to `url`, signed with each of the secrets, and return what was answered.

        The address is checked again: it may have been allowed by a setting that has changed.
        """
        if fault := fault_of(url, self._private_too):
            return Answer(None, fault)
        headers = signed(message_id, at, body, secrets)
        try:
            with all_within(self._total):
                return self._post(url, body.encode(), headers)
        except PrivateAddress:
            return Answer(None, "Its host leads into a private network.")
        except httpx.TimeoutException:
            return Answer(None, "It did not answer in time.")
        except httpx.ConnectError:
            return Answer(None, "It could not be connected to.")
        except (httpx.RequestError, httpx.InvalidURL):
            return Answer(None, "Its answer was not HTTP, or broke off.")

    def close(self) -> None:
        """Close the idle connections."""
        self._client.close()

    def _post(self, url: str, body: bytes, headers: dict[str, str]) -> Answer:
        with self._client.stream("POST", url, content=body, headers=headers) as response:
            # The status has said everything: a body that is too long, or never ends, changes
            # nothing but that its connection is closed.
            with contextlib.suppress(Unreadable, httpx.RequestError):
                read_all(response, LARGEST_ANSWER)
            return Answer(response.status_code)


def signed(message_id: str, at: datetime, body: str, secrets: Sequence[str]) -> dict[str, str]:
    """Return the headers of Standard Webhooks: with a signature for each secret, as it asks for
    while one is being rotated."""
    signatures = [Webhook(secret).sign(message_id, at, body) for secret in secrets]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(floor(at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
