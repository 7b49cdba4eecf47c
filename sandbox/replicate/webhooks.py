"""Signed webhooks, delivered well or badly."""

import asyncio
import base64
import hashlib
import hmac
import json
import random
import secrets
import time
from typing import Any

from tornado.httpclient import AsyncHTTPClient, HTTPClientError

from sandbox.replicate.knobs import WebhookKnobs
from sandbox.replicate.latency import pause
from sandbox.replicate.predictions import Prediction

EVENTS = ("start", "output", "logs", "completed")
SECONDS = 10.0


def new_secret() -> str:
    """Return a fresh signing secret."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(24)).decode()


def signature(secret: str, id: str, timestamp: str, body: bytes) -> str:
    """Sign `id.timestamp.body` with the base64 part of the secret, as Replicate does."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()


class Post:
    """Delivers the events of predictions, each prediction's in their order."""

    def __init__(self, http: AsyncHTTPClient, secret: str, dice: random.Random) -> None:
        self._http = http
        self.secret = secret
        self._dice = dice
        self._held: dict[str, list[tuple[str, dict[str, Any]]]] = {}
        self._last: dict[str, asyncio.Task[None]] = {}
        self._redelivering: set[asyncio.Task[None]] = set()

    def announce(self, prediction: Prediction, event: str, knobs: WebhookKnobs) -> None:
        """Send the prediction's present state to its webhook, if that wants this event."""
        if prediction.webhook is None:
            return
        final = event == "completed"
        held = self._held.setdefault(prediction.id, [])
        if event in prediction.events:
            held.append((event, prediction.document()))
        if knobs.out_of_order and not final:
            return
        backwards = self._dice.random() < knobs.out_of_order
        for one, document in list(reversed(held)) if backwards else held:
            self._queue(prediction, one, document, knobs)
        del self._held[prediction.id]

    async def settled(self, prediction: Prediction) -> None:
        """Return when everything announced so far has been tried once."""
        if last := self._last.get(prediction.id):
            await asyncio.wait([last])

    def stop_all(self) -> None:
        """Give up everything that is not delivered yet."""
        for task in [*self._last.values(), *self._redelivering]:
            task.cancel()

    def _queue(
        self, prediction: Prediction, event: str, document: dict[str, Any], knobs: WebhookKnobs
    ) -> None:
        assert prediction.webhook is not None
        letter = Letter(prediction.webhook, event == "completed", document)
        before = self._last.get(prediction.id)
        task = asyncio.create_task(self._deliver(before, letter, knobs))
        self._last[prediction.id] = task
        task.add_done_callback(lambda _: self._tidy(prediction.id, task))

    def _tidy(self, id: str, task: "asyncio.Task[None]") -> None:
        if self._last.get(id) is task:
            del self._last[id]

    async def _deliver(
        self, before: "asyncio.Task[None] | None", letter: "Letter", knobs: WebhookKnobs
    ) -> None:
        if before:
            await asyncio.wait([before])
        await pause(knobs.late, self._dice)
        if self._dice.random() < knobs.lost:
            return
        good = [await self._send(letter, knobs) for _ in range(1 + knobs.duplicate)]
        if letter.final and not any(good):
            task = asyncio.create_task(self._redeliver(letter, knobs))
            self._redelivering.add(task)
            task.add_done_callback(self._redelivering.discard)

    async def _redeliver(self, letter: "Letter", knobs: WebhookKnobs) -> None:
        for seconds in knobs.pauses:
            await asyncio.sleep(seconds)
            if await self._send(letter, knobs):
                return

    async def _send(self, letter: "Letter", knobs: WebhookKnobs) -> bool:
        bad = self._dice.random() < knobs.bad_signature
        try:
            await self._http.fetch(
                letter.url,
                method="POST",
                body=letter.body,
                headers=letter.headers(new_secret() if bad else self.secret),
                follow_redirects=False,
                connect_timeout=SECONDS,
                request_timeout=SECONDS,
            )
        except (HTTPClientError, OSError, ValueError):
            return False
        return True


class Letter:
    """One webhook; its id stays the same over redeliveries, its time and signature are new."""

    def __init__(self, url: str, final: bool, document: dict[str, Any]) -> None:
        self.url = url
        self.final = final
        self.id = "msg_" + secrets.token_urlsafe(20).replace("-", "a").replace("_", "b")
        self.body = json.dumps(document).encode()

    def headers(self, secret: str) -> dict[str, str]:
        """Return the headers, signed with that secret."""
        now = str(int(time.time()))
        return {
            "Content-Type": "application/json",
            "webhook-id": self.id,
            "webhook-timestamp": now,
            "webhook-signature": signature(secret, self.id, now, self.body),
        }
