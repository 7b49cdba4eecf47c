"""A client of a job's stream, within one process."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import Flask

from api import current
from api.live_watch import Times, Watch
from tests.api.clients import JOBS, Shop

EVENTS = f"{JOBS}/1/events"
FAST = Times(look=0.05, waiting=0.3, anyway=0.6, heartbeat=0.4, life=60.0, listen=0.05)
Event = dict[str, Any]


class Follower:
    """A client of a stream; each event is `{id?, event?, data?}`, a comment `{"": text}`."""

    def __init__(self, shop: Shop, path: str = EVENTS, known: str = "") -> None:
        headers = shop.bearer | ({"Last-Event-ID": known} if known else {})
        self.answer = shop.client().get(path, headers=headers)
        self._chunks = self.answer.iter_encoded()

    def __iter__(self) -> Iterator[Event]:
        for chunk in self._chunks:
            for block in chunk.decode().split("\n\n"):
                yield dict(line.split(": ", 1) for line in block.splitlines())

    def next_job(self) -> Event:
        """The next event `job`; comments and the word to the browser are passed over."""
        return next(each for each in self if each.get("event") == "job")

    def rest(self) -> list[str]:
        """What else comes until the end: the names of the events, and comments."""
        return [each.get("event") or "comment" for each in self if each and "retry" not in each]


def shown(event: Event) -> Any:
    return json.loads(event["data"])


@contextmanager
def following(*followers: Follower) -> Iterator[None]:
    try:
        yield
    finally:
        for each in followers:
            each.answer.close()


def hurry(app: Flask, times: Times = FAST) -> Watch:
    """Let the streams of this app look more often."""
    watch = Watch(app, times)
    app.extensions[current.KEY].watch = watch
    return watch
