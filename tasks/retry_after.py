"""How long Replicate asks us to wait: in a header, in the body, or only in a sentence of it."""

import email.utils
import math
import re

import httpx

# Replicate's limits start again within a minute; an hour-long wait would only be a fault or a joke,
# and a wait of nothing would make every worker hammer on.
SHORTEST, LONGEST = 1.0, 600.0

_SENTENCE = re.compile(r"resets? in ~?\s*(\d{1,9}(?:\.\d{1,6})?)\s*(ms|s|m|h)?\b", re.IGNORECASE)
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def retry_after(headers: httpx.Headers, document: object) -> float | None:
    """Return the seconds to wait, from the header, else the body, else its sentence, else None."""
    fields = document if isinstance(document, dict) else {}
    wanted = (
        retry_after_header(headers),
        _bounded(_number(fields.get("retry_after"))),
        _bounded(_sentence(fields.get("detail"))),
    )
    return next((seconds for seconds in wanted if seconds is not None), None)


def retry_after_header(headers: httpx.Headers) -> float | None:
    """Return the seconds that `Retry-After` asks for, or None where it is missing or unreadable."""
    text = headers.get("Retry-After", "").strip()
    seconds = _number(text)
    return _bounded(_until(text, headers.get("Date", "")) if seconds is None else seconds)


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None


def _until(moment: str, sent: str) -> float | None:
    """The answer's own `Date` is "now": the two clocks are one then, and ours is not asked."""
    try:
        later, now = (email.utils.parsedate_to_datetime(text) for text in (moment, sent))
        return (later - now).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return None


def _sentence(detail: object) -> float | None:
    match = _SENTENCE.search(detail) if isinstance(detail, str) else None
    return float(match[1]) * _UNITS[(match[2] or "s").lower()] if match else None


def _bounded(seconds: float | None) -> float | None:
    if seconds is None or math.isnan(seconds) or seconds < 0:
        return None
    return min(max(seconds, SHORTEST), LONGEST)
