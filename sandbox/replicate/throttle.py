"""The stand-in's own rate limit on creates, and its three ways to say so."""

import math
import time
from collections import deque

from sandbox.replicate.answers import PROBLEM, Answer, json_answer
from sandbox.replicate.knobs import Throttle


class Gate:
    """A sliding window over the creates that were let through."""

    def __init__(self) -> None:
        self._passed: deque[float] = deque(maxlen=10_000)

    def refusal(self, rule: Throttle) -> Answer | None:
        """Let one create pass and return None, or return the 429."""
        now = time.monotonic()
        while self._passed and self._passed[0] <= now - rule.window:
            self._passed.popleft()
        if len(self._passed) < rule.count:
            self._passed.append(now)
            return None
        wait = self._passed[0] + rule.window - now if self._passed else rule.window
        seconds = math.ceil(wait) if rule.retry_after is None else rule.retry_after
        return too_many(rule.form, seconds)


def too_many(form: str, seconds: int) -> Answer:
    """Return a 429 that says when to come back in a header, a field, or only in its text."""
    detail = "Request was throttled."
    if form == "text":
        detail += f" Your rate limit resets in ~{seconds}s."
    field = {"retry_after": seconds} if form == "body" else {}
    headers = {"Retry-After": str(seconds)} if form == "header" else {}
    return json_answer(429, {"detail": detail, "status": 429, **field}, PROBLEM, headers)
