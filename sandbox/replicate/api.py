"""The endpoints that make and list predictions."""

import base64
import binascii
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from sandbox.replicate import running
from sandbox.replicate.answers import NOT_FOUND, Answer, Refusal, json_answer, problem
from sandbox.replicate.endpoint import Endpoint
from sandbox.replicate.latency import at_most, pause
from sandbox.replicate.models import MODELS
from sandbox.replicate.orders import read_order, wait_seconds
from sandbox.replicate.predictions import PAGE, Prediction

NO_VERSION = problem(
    422, "The version does not exist, or you may not use it.", "Invalid version or not permitted"
)


class Creates(Endpoint):
    """Making predictions, whichever path it comes by."""

    name = "create"

    async def create(self, model: str) -> Answer:
        """Accept a prediction; it is made, and would be paid for, once this returns or waits."""
        if rule := self.world.knobs.throttle:
            refusal = self.world.gate.refusal(rule)
            if refusal:
                raise Refusal(refusal)
        prediction = read_order(
            model, self.body(), len(self.request.body), self.request.headers, self.base
        )
        prediction.outcome = self.world.next_outcome() or prediction.outcome
        running.accept(self.world, prediction)
        self.entry["prediction"] = prediction.id
        await self._wait(prediction)
        return json_answer(201, prediction.document())

    async def _wait(self, prediction: Prediction) -> None:
        await pause(self.world.knobs.create_latency, self.world.dice)
        knobs = self.world.knobs.webhooks
        if knobs.early and self.world.dice.random() < knobs.early:
            await at_most(10.0, prediction.shown)
            await self.world.post.settled(prediction)
        if seconds := wait_seconds(self.request.headers.get("Prefer", "")):
            await at_most(seconds, prediction.shown)


class ModelPredictions(Creates):
    """`/v1/models/{owner}/{name}/predictions`."""

    async def post(self, model: str) -> None:
        """Create a prediction of an official model."""

        async def act() -> Answer:
            return await self.create(model) if model in MODELS else NOT_FOUND

        await self.serve(act)


class PredictionList(Creates):
    """`/v1/predictions`."""

    async def post(self) -> None:
        """Create a prediction by version; who names no model means the first one."""

        async def act() -> Answer:
            version = str(self.body().get("version", ""))
            model = next(iter(MODELS)) if len(version) == 64 else version.partition(":")[0]
            return await self.create(model) if model in MODELS else NO_VERSION

        await self.serve(act)

    async def get(self) -> None:
        """Show a page of predictions, newest first."""

        async def act() -> Answer:
            return json_answer(200, self._page())

        await self.serve(act, "list")

    def _page(self) -> dict[str, Any]:
        after, before = self._moment("created_after"), self._moment("created_before")
        cursor = _position(self.get_query_argument("cursor", None))
        rows: list[Prediction] = []
        for row in self.world.predictions.newest_first(cursor):
            if len(rows) > PAGE or (after and row.created < after):
                break
            if before is None or row.created < before:
                rows.append(row)
        newer = cursor is not None and rows and self.world.predictions.newest > rows[0].number
        return {
            "next": self._link(rows[PAGE - 1].number) if len(rows) > PAGE else None,
            "previous": self._link(rows[0].number + PAGE + 1) if newer else None,
            "results": [row.document() for row in rows[:PAGE]],
        }

    def _link(self, number: int) -> str:
        kept = {
            name: self.get_query_argument(name)
            for name in ("created_after", "created_before")
            if self.get_query_argument(name, None)
        }
        cursor = base64.urlsafe_b64encode(f"p={number}".encode()).decode()
        return f"{self.base}/v1/predictions?{urlencode({**kept, 'cursor': cursor})}"

    def _moment(self, name: str) -> float | None:
        text = self.get_query_argument(name, None)
        if not text:
            return None
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            raise Refusal(problem(400, f"{name} is no ISO 8601 date-time.")) from None
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _position(cursor: str | None) -> int | None:
    if cursor is None:
        return None
    try:
        return int(base64.urlsafe_b64decode(cursor).removeprefix(b"p="))
    except (ValueError, binascii.Error):
        raise Refusal(problem(400, "Invalid cursor.")) from None
