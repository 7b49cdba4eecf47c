"""Errors as RFC 9457 `application/problem+json`, and what only the API itself can find wrong."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from flask import Response, g, json

CONTENT_TYPE = "application/problem+json"


class InvalidInput(Exception):
    """What a client sent cannot be read. `errors` holds messages by field path."""

    def __init__(self, errors: Mapping[str, Sequence[str]]) -> None:
        super().__init__("The input is not valid: see errors.")
        self.errors = errors


class NotAuthenticated(Exception):
    """There is no bearer token, or it is nobody's."""


def camel_case(name: str) -> str:
    """The name of a fact as it is told: `retried_by` is `retriedBy`."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def problem(
    status: int, code: str, detail: str, facts: Mapping[str, Any], headers: Mapping[str, str]
) -> Response:
    """Return an answer for people (`detail`) and programs (`code`, which never changes).

    Nobody keeps it, unless its own headers say for how long.
    """
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": detail,
        "requestId": g.request_id,
        **facts,
    }
    response = Response(json.dumps(body), status, headers, content_type=CONTENT_TYPE)
    response.headers.setdefault("Cache-Control", "no-store")
    return response
