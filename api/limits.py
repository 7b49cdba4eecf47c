"""How much one client may ask of the API: requests of an instance, and the size of any body.

Flask-Limiter counts in the same Redis as everything else, so all processes share one count. While
Redis is away or hangs, each process counts in its own memory and looks every few seconds whether it
is back: no request fails for it.

The window slides (two counters per instance, on Redis's own clock): a fixed one would let twice the
limit through around its edge, and a log of moments takes memory by the request and trusts the
clocks of the containers.
"""

import math
import time
from collections.abc import Mapping
from typing import cast

from flask import Flask, current_app, g, request
from flask_limiter import Limiter, RateLimitExceeded
from limits.errors import StorageError
from werkzeug.exceptions import RequestEntityTooLarge

from api import current
from api.input import LARGEST_BODY
from config.settings import Settings

KEY = "darkroom-requests"


class RequestLimit:
    """At most so many requests of an instance in a window, over all routes together."""

    def __init__(self, app: Flask, settings: Settings) -> None:
        self._limiter = Limiter(
            _instance,
            strategy="sliding-window-counter",
            storage_uri=settings.redis_url,
            storage_options=_storage(app),
            in_memory_fallback_enabled=True,
            # The memory's own bookkeeping races now and then: a request more is better than a 500.
            swallow_errors=True,
        )
        self._limiter.request_filter(_anonymous)
        self._limiter.init_app(app)
        # The library counts in whole seconds: the window is at least what the setting says.
        limit = settings.api_rate_limit
        often = f"{limit.count} per {math.ceil(limit.window)} second"
        self._count = self._limiter.shared_limit(often, scope="requests")(_counted)

    def count(self) -> None:
        """Count this request; raises `RateLimitExceeded` with the seconds to wait."""
        try:
            self._count()
        except RateLimitExceeded as error:
            error.retry_after = self._seconds_to_wait()
            raise

    def _seconds_to_wait(self) -> int:
        limit = self._limiter.current_limit
        assert limit is not None
        try:
            return max(1, math.ceil(limit.reset_at - time.time()))
        except StorageError:
            return 1


def register(app: Flask, settings: Settings, larger_bodies: Mapping[str, int]) -> None:
    """Bound what may be sent to `app`; some blueprints take larger bodies (in bytes).

    An app has a limiter of its own, because tests make many.
    """
    app.extensions[KEY] = RequestLimit(app, settings)
    _refuse_large_bodies(app, larger_bodies)


def count_request() -> None:
    """Count a request of the instance that was just authenticated.

    A request without a known token counts for nobody: 256 random bits are not guessed, and a wrong
    token must not use up somebody's limit. A proxy's address would be everybody's.
    """
    if not _anonymous():
        cast("RequestLimit", current_app.extensions[KEY]).count()


def _refuse_large_bodies(app: Flask, larger: Mapping[str, int]) -> None:
    """Most routes take no body and would not look at one. A body in chunks announces no size: it is
    read only where it is asked for, and no further than the same bound."""

    def refuse() -> None:
        g.largest_body = larger.get(request.blueprint or "", LARGEST_BODY)
        request.max_content_length = g.largest_body + 1
        if (request.content_length or 0) > g.largest_body:
            raise RequestEntityTooLarge

    app.before_request(refuse)


def _storage(app: Flask) -> dict[str, str | int]:
    """The connections that `/readyz` uses as well: they wait half a second and try once."""
    options = {
        "connection_pool": app.extensions[current.KEY].redis.connection_pool,
        "key_prefix": "darkroom:requests",
        "wrap_exceptions": True,
    }
    return cast("dict[str, str | int]", options)


def _instance() -> str:
    return str(g.instance)


def _anonymous() -> bool:
    """The library asks this before every request, also before the token was read."""
    return g.get("instance") is None


def _counted() -> None:
    """What the library wraps: it has no other way to count within a request."""
