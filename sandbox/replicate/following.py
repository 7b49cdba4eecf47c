"""The endpoints of one prediction that was made: show, cancel, stream."""

import json

from sandbox.replicate import running
from sandbox.replicate.answers import NOT_FOUND, Answer, Refusal, json_answer
from sandbox.replicate.endpoint import Endpoint
from sandbox.replicate.latency import at_most
from sandbox.replicate.predictions import Prediction


class Known(Endpoint):
    """A path that holds the id of a prediction."""

    def found(self, id: str) -> Prediction:
        """Return the prediction or refuse."""
        prediction = self.world.predictions.get(id)
        if prediction is None:
            raise Refusal(NOT_FOUND)
        return prediction


class OnePrediction(Known):
    """`/v1/predictions/{id}`."""

    name = "get"

    async def get(self, id: str) -> None:
        """Show the prediction."""

        async def act() -> Answer:
            return json_answer(200, self.found(id).document())

        await self.serve(act)


class Cancel(Known):
    """`/v1/predictions/{id}/cancel`."""

    name = "cancel"

    async def post(self, id: str) -> None:
        """Cancel the prediction and show it."""

        async def act() -> Answer:
            prediction = self.found(id)
            running.cancel(self.world, prediction)
            return json_answer(200, prediction.document())

        await self.serve(act)


class Stream(Known):
    """`/v1/predictions/{id}/stream`: the model makes one picture at once, so there is little."""

    name = "stream"
    private = False

    async def get(self, id: str) -> None:
        """Send server-sent events once the prediction has ended; 10 minutes at most."""

        async def act() -> Answer:
            prediction = self.found(id)
            await at_most(600.0, prediction.shown)
            return Answer(200, _events(prediction).encode(), "text/event-stream")

        await self.serve(act)


def _events(prediction: Prediction) -> str:
    if prediction.status == "failed":
        return f"event: error\ndata: {json.dumps({'detail': prediction.error})}\n\n"
    reason = {"reason": "canceled"} if prediction.status in {"canceled", "aborted"} else {}
    output = f"event: output\nid: 1\ndata: {prediction.output}\n\n" if prediction.output else ""
    return f"{output}event: done\ndata: {json.dumps(reason)}\n\n"
