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
    """An answer; `body` is complete, and None where there can be none (204)."""

    status: int
    body: bytes
    content_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def all_headers(self) -> dict[str, str]:
        """Every header but those that the server itself adds."""
        length = {} if self.status == 204 else {"Content-Length": str(len(self.body))}
        return {"Content-Type": self.content_type, **length, **self.headers}


class Refusal(Exception):
    """Ends the handling of a request with this answer."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(f"{answer.status} {answer.body[:200]!r}")
        self.answer = answer


def json_answer(status: int, document: object, content_type: str = JSON) -> Answer:
    """Answer with a JSON document."""
    return Answer(status, json.dumps(document).encode(), content_type)


def problem(status: int, detail: str, title: str | None = None, **more: Any) -> Answer:
    """Answer with Replicate's form of an error: `{title, detail, status}`."""
    document = {"title": title or responses.get(status, "Error"), "detail": detail}
    return json_answer(status, {**document, "status": status, **more}, PROBLEM)


NOT_FOUND = problem(404, "The requested resource could not be found.")
UNAUTHENTICATED = problem(401, "You did not pass a valid authentication token", "Unauthenticated")
NO_CREDIT = problem(
    402,
    "You have insufficient credit to run this model. Go to https://replicate.com/account/billing"
    "#billing to purchase credit.",
    "Insufficient credit",
)
