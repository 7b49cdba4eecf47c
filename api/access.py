"""Every request has an id, in its answer and in all its log lines, and one line of its own."""

import re
import time
import uuid

import structlog
from flask import Flask, Response, g, request

log = structlog.get_logger("darkroom.access")

REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


def register(app: Flask) -> None:
    """Number and log the requests of `app`."""
    app.before_request(_begin)
    app.after_request(_end)


def _begin() -> None:
    """Keep the id that a proxy gave; a thread also still has what its last request bound."""
    given = request.headers.get("X-Request-Id", "")
    g.request_id = given if REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
    g.began = time.monotonic()
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request=g.request_id)


def _end(response: Response) -> Response:
    """Log the route rather than the address, which may hold a result's key."""
    response.headers["X-Request-Id"] = g.request_id
    log.info(
        "request",
        method=request.method,
        route=request.url_rule.rule if request.url_rule else None,
        status=response.status_code,
        milliseconds=round((time.monotonic() - g.began) * 1000, 1),
    )
    return response
