"""Bearer tokens: the token decides which instance asks."""

import hmac
import re

import structlog
from flask import g, request

from api import current
from api.problems import NotAuthenticated
from models import accounts

BEARER = re.compile(r"bearer +([A-Za-z0-9._~+/-]{1,255}=*)", re.IGNORECASE)


def authenticate() -> None:
    """Find out who asks, before anything else of the request is read.

    A browser sends OPTIONS without a token, to learn what it may send at all.
    """
    if request.method == "OPTIONS":
        return
    g.instance = accounts.authenticate(_token())
    if g.instance is None:
        raise NotAuthenticated("This bearer token is not known.")
    structlog.contextvars.bind_contextvars(instance=g.instance)


def authenticate_scraper() -> None:
    """Ask for `METRICS_TOKEN`; without one (the sandbox alone may do so) everybody may read."""
    expected = current.settings().metrics_token
    if expected and not hmac.compare_digest(_token().encode(), expected.encode()):
        raise NotAuthenticated("This is not the METRICS_TOKEN.")


def _token() -> str:
    match = BEARER.fullmatch(request.headers.get("Authorization", ""))
    if match is None:
        raise NotAuthenticated("Send Authorization: Bearer and the token.")
    return match[1]
