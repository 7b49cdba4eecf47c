"""The stand-in's memory of what was asked: tests read it at `/_control/requests` and `/creates`."""

import time
from collections import deque
from collections.abc import Iterator
from itertools import islice
from typing import Any

MOST_REQUESTS = 50_000
MOST_CREATES = 100_000
LONGEST_TEXT = 4_096


class Record:
    """The last requests and accepted creates, oldest first; times are `time.monotonic`'s.

    On Linux that clock is one for all processes of a machine, so a test can compare.
    """

    def __init__(self) -> None:
        self.requests: deque[dict[str, Any]] = deque(maxlen=MOST_REQUESTS)
        self.creates: deque[dict[str, Any]] = deque(maxlen=MOST_CREATES)
        self._count = 0

    def note(
        self, arrived: float, method: str, path: str, authorization: bool, body: object
    ) -> dict[str, Any]:
        """Write down a request and when it `arrived`; what happens to it is added later."""
        entry = {
            "number": self._count,
            "method": method,
            "path": path,
            "time": arrived,
            "wall": time.time(),
            "authorization": authorization,
            "body": shortened(body),
            "status": None,
            "prediction": None,
            "fault": None,
        }
        self._count += 1
        self.requests.append(entry)
        return entry

    def accepted(self, id: str, given: dict[str, Any]) -> None:
        """Write down that a prediction was made: Replicate would charge for it."""
        entry = {"time": time.monotonic(), "id": id, "input": shortened(given)}
        self.creates.append(entry)

    def since(self, number: int) -> Iterator[dict[str, Any]]:
        """Yield the requests from that number on."""
        first = self.requests[0]["number"] if self.requests else 0
        return islice(self.requests, max(0, number - first), None)


def shortened(value: Any) -> Any:
    """Return the JSON value with long texts (data URIs) cut."""
    if isinstance(value, str):
        return value if len(value) <= LONGEST_TEXT else value[:LONGEST_TEXT] + "…"
    if isinstance(value, list):
        return [shortened(one) for one in value]
    if isinstance(value, dict):
        return {key: shortened(one) for key, one in value.items()}
    return value
