"""What the tasks of one process share, built when the first task needs it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import redis
from flask import Flask

from config.settings import Settings
from models import caps, controls, following, outgoing
from models.controls import Terms
from models.database import bind
from tasks.courier import Courier
from tasks.download import Downloader
from tasks.limiter import Limiter, limiter_redis
from tasks.measure import CallCounter
from tasks.replicate import Replicate
from tasks.senders import Senders
from tasks.stopping import stopping
from tasks.storage import Storage, open_storage
from tasks.waiting import SlotQueue
from tasks.wake import Waker


@dataclass(frozen=True, slots=True)
class Gear:
    """Everything a task works with; tests put in what they like."""

    settings: Settings
    app: Flask
    redis: redis.Redis
    limiter: Limiter
    slots: SlotQueue
    replicate: Replicate
    downloader: Downloader
    storage: Storage
    waker: Waker
    courier: Courier
    senders: Senders
    stopping: threading.Event

    @contextmanager
    def database(self) -> Iterator[None]:
        """A context for one call into `models`: short, and never open during a slow call.

        When that has written webhooks, somebody is woken to send them; and when it has ended what a
        capped instance ran, somebody is woken for another image of that one.
        """
        with self.app.app_context():
            yield
            written, room = outgoing.written(), caps.room_made()
        if written:
            self.waker.deliver()
        if room:
            self.waker.top_up(1, "room was made")


def build_gear(settings: Settings, app: Flask) -> Gear:
    """Build the gear on the real parts."""
    client = limiter_redis(settings.redis_url)
    limiter = build_limiter(settings, app, client)
    return Gear(
        settings=settings,
        app=app,
        redis=client,
        limiter=limiter,
        slots=SlotQueue(limiter),
        replicate=Replicate(settings, CallCounter(client)),
        downloader=Downloader(settings),
        storage=open_storage(settings),
        waker=Waker(settings.redis_url),
        courier=Courier(settings),
        senders=Senders(settings.worker_concurrency),
        stopping=stopping,
    )


def build_limiter(settings: Settings, app: Flask, client: redis.Redis) -> Limiter:
    """The limiter as the settings say, which reads from the database what was sent lately, and
    what operators set."""

    def recent_sends(window: float) -> list[float]:
        with app.app_context():
            return following.recent_sends(window)

    def terms() -> Terms:
        with app.app_context():
            return controls.terms()

    limit, spacing = settings.replicate_rate_limit, settings.replicate_min_spacing
    return Limiter(client, limit, spacing, recent_sends, terms=terms)


class _Process:
    """The one gear of this process. Its clients must not be used across a fork, and their lazy
    starts race: so it is built by the first task, under a lock."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._gear: Gear | None = None

    def gear(self) -> Gear:
        with self._lock:
            if self._gear is None:
                settings = Settings.from_environment()
                self._gear = build_gear(settings, bind(settings))
            return self._gear


gear = _Process().gear
