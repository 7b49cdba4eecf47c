"""Sorting what Replicate answers, or that it does not, into later, never and unknown."""

import httpx

from tasks.provider_errors import (
    Ambiguous,
    OperatorNeeded,
    Permanent,
    ProviderError,
    RateLimited,
    Retryable,
)
from tasks.retry_after import retry_after, retry_after_header

# These end before the first byte of the request is written: the create cannot have been accepted.
NOT_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
)


def sort_fault(error: httpx.RequestError, creating: bool) -> ProviderError:
    """Sort a call that got no readable answer."""
    name = type(error).__name__
    if creating and not isinstance(error, NOT_SENT):
        return Ambiguous(f"{name}: the create may have been accepted")
    return Retryable(name)


def sort_answer(
    status: int, headers: httpx.Headers, document: object, creating: bool
) -> ProviderError | None:
    """Sort an answer by its status; None means that it is good.

    The classes are those that Replicate documents: 401 and 403 unauthenticated, 402 no credit, 429
    throttled, other 4xx refused. A redirect means that the base URL is wrong, and a create that
    finds nothing that the model's name is: no customer's image is to blame for these.
    """
    detail = _detail(status, document)
    if reason := _operators_fault(status, creating):
        return OperatorNeeded(reason, detail)
    if status == 429:
        return RateLimited(detail, retry_after(headers, document) or 10.0)
    if 400 <= status < 500 and status not in {408, 425}:
        return Permanent("result_lost" if status == 404 else "invalid_input", detail)
    if 200 <= status < 300 and isinstance(document, dict):
        return None
    return _unclear(status, headers, detail, creating)


_OPERATOR = {401: "unauthenticated", 403: "unauthenticated", 402: "insufficient_credit"}


def _operators_fault(status: int, creating: bool) -> str | None:
    if 300 <= status < 400:
        return "redirected"
    return "model_not_found" if creating and status == 404 else _OPERATOR.get(status)


def _unclear(status: int, headers: httpx.Headers, detail: str, creating: bool) -> ProviderError:
    """A 5xx or unreadable 2xx may hide an accepted create; a 503 that names a time refuses it."""
    after = retry_after_header(headers)
    if creating and not (status == 503 and after):
        return Ambiguous(detail)
    return Retryable(detail, after)


def _detail(status: int, document: object) -> str:
    fields = document if isinstance(document, dict) else {}
    text = fields.get("detail") or fields.get("title") or "no readable reason"
    return f"{status}: {str(text)[:300]}"
