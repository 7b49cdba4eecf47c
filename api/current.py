"""What belongs to the current process and to the current request."""

from collections.abc import Callable
from functools import cached_property
from typing import cast

import redis
from flask import Flask, current_app, g
from redis.backoff import NoBackoff
from redis.retry import Retry

from api.catalogue.interface import Catalogue
from api.live_watch import Watch
from api.rooms import Rooms
from config.settings import Settings
from models import controls, following, outgoing
from models.image_models import PriceList
from tasks.limiter import Limiter
from tasks.source_pictures import SourcePictures
from tasks.storage import Storage, open_storage
from tasks.wake import Waker

KEY = "darkroom"
PATIENCE = 0.5


class Parts:
    """What a process works with, each made when it is first needed: so after any fork. Two threads
    may both make one at the same time; the one that is not kept does no harm."""

    def __init__(
        self, app: Flask, settings: Settings, open_catalogue: Callable[[Settings], Catalogue]
    ) -> None:
        self.settings = settings
        self._open_catalogue = open_catalogue
        # Not on first need: a bound that exists twice is none.
        self.rooms = Rooms()
        self.watch = Watch(app)

    @cached_property
    def waker(self) -> Waker:
        """Sends messages to the workers."""
        return Waker(self.settings.redis_url)

    @cached_property
    def storage(self) -> Storage:
        """Where results are."""
        return open_storage(self.settings)

    @cached_property
    def catalogue(self) -> Catalogue:
        """Where products come from."""
        return self._open_catalogue(self.settings)

    @cached_property
    def prices(self) -> PriceList:
        """What may be ordered, and for how much."""
        return PriceList(self.settings.offers)

    @cached_property
    def sources(self) -> SourcePictures:
        """Fetches shops' own pictures."""
        return SourcePictures(self.settings)

    @cached_property
    def redis(self) -> redis.Redis:
        """The broker, for looking only: it has half a second to answer."""
        return redis.Redis.from_url(
            self.settings.redis_url,
            socket_connect_timeout=PATIENCE,
            socket_timeout=PATIENCE,
            retry=Retry(NoBackoff(), 0),
        )

    @cached_property
    def limiter(self) -> Limiter:
        """The limiter, for looking only; within an application context."""
        limit, spacing = self.settings.replicate_rate_limit, self.settings.replicate_min_spacing
        return Limiter(self.redis, limit, spacing, following.recent_sends, terms=controls.terms)


def equip(app: Flask, settings: Settings, open_catalogue: Callable[[Settings], Catalogue]) -> None:
    """Give an app its parts."""
    app.extensions[KEY] = Parts(app, settings, open_catalogue)
    app.teardown_appcontext(_send_webhooks)


def _send_webhooks(_error: BaseException | None) -> None:
    """Wake somebody when a request, or a command, has written webhooks: they are committed now."""
    if outgoing.written():
        parts().waker.deliver()


def parts() -> Parts:
    """The parts of this process."""
    return cast("Parts", current_app.extensions[KEY])


def settings() -> Settings:
    """The settings of this process."""
    return parts().settings


def instance() -> int:
    """The id of the instance whose token came with this request."""
    return cast("int", g.instance)


def url(path: str) -> str:
    """The public address of `path`: absolute only by setting, never from the Host header."""
    return settings().public_base_url + path
