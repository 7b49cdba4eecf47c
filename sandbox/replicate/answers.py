"""What the endpoints answer with: one value that a fault can still spoil before it is sent."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import responses
from typing import Any

JSON = "application/json"
PROBLEM = "application/problem+json"


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer; `padding` zero bytes follow the body, so that it can be huge without memory."""

    status: int
    body: bytes
    content_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)
    padding: int = 0

    @property
    def all_headers(self) -> dict[str, str]:
        """Every header but those that the server itself adds."""
        if self.status == 204:
            return dict(self.headers)
        length = str(len(self.body) + self.padding)
        return {"Content-Type": self.content_type, "Content-Length": length, **self.headers}


class Refusal(Exception):
    """Ends the handling of a request with this answer."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(f"{answer.status} {answer.body[:200]!r}")
        self.answer = answer


def json_answer(
    status: int,
    document: object,
    content_type: str = JSON,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """Answer with a JSON document."""
    return Answer(status, json.dumps(document).encode(), content_type, headers or {})


def problem(status: int, detail: str, title: str | None = None, **more: Any) -> Answer:
    """Answer with Replicate's form of an error: `{title, detail, status}`."""
    document = {"title": title or responses.get(status, "Error"), "detail": detail}
    return json_answer(status, {**document, "status": status, **more}, PROBLEM)


NOT_FOUND = problem(404, "The requested resource could not be found.")
UNAUTHENTICATED = problem(401, "You did not pass a valid authentication token", "Unauthenticated")
NO_CREDIT = problem(
    402,
    "You have insufficient credit to run this model. Buy more credit and try again.",
    "Insufficient credit",
)
REFUSALS = {401: UNAUTHENTICATED, 402: NO_CREDIT}
