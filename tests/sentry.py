"""A Sentry on 127.0.0.1: it takes what the real SDK of real processes sends."""

import gzip
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from tests.scripted_server import ScriptedServer, answer, scripted_server

KEY = "0123456789abcdef-key-of-the-dsn"


@dataclass(frozen=True)
class Sentry:
    """The server and what arrived."""

    server: ScriptedServer

    @property
    def dsn(self) -> str:
        """What SENTRY_DSN has to be."""
        return self.server.url.replace("://", f"://{KEY}@") + "/1"

    def envelopes(self) -> list[str]:
        """All that was sent, as text."""
        return [_text(request.headers, request.body) for request in self.server.requests]

    def events(self) -> list[dict[str, Any]]:
        """The errors among it: an envelope is lines of JSON, an item's head before its body."""
        items = [line for text in self.envelopes() for line in text.splitlines()[1:]]
        parsed = [json.loads(line) for line in items if line]
        return [body for head, body in pairwise(parsed) if head.get("type") == "event"]


def _text(headers: dict[str, str], body: bytes) -> str:
    zipped = headers.get("content-encoding") == "gzip"
    return (gzip.decompress(body) if zipped else body).decode()


@contextmanager
def sentry() -> Iterator[Sentry]:
    """Run one for a test."""
    with scripted_server() as server:
        server.play(answer(200, {"id": "0" * 32}))
        yield Sentry(server)
