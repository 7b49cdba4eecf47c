"""Everything that one stand-in holds, and what happens to a prediction between its two ends."""

import asyncio
import random
from concurrent.futures import ThreadPoolExecutor

from sandbox.replicate import fetch, model
from sandbox.replicate.faults import chosen
from sandbox.replicate.files import Files
from sandbox.replicate.knobs import Fault, Knobs, Outcome, Span
from sandbox.replicate.latency import drawn
from sandbox.replicate.outputs import MOST_BYTES, Outputs, canned, output_format
from sandbox.replicate.predictions import Prediction, Predictions
from sandbox.replicate.record import Record
from sandbox.replicate.throttle import Gate
from sandbox.replicate.webhooks import Post


class World:
    """The stand-in's state; `reset` begins anew with the knobs of the start."""

    def __init__(self, knobs: Knobs, token: str | None, secret: str) -> None:
        self._first_knobs = knobs
        self.token = token
        self._secret = secret
        self._http = fetch.client()
        self._pool = ThreadPoolExecutor(max_workers=2, thread_name_prefix="model")
        self._begin()

    def _begin(self) -> None:
        self.dice = random.Random()
        self.turn(self._first_knobs)
        self.record = Record()
        self.gate = Gate()
        self.files = Files()
        self.outputs = Outputs()
        self.predictions = Predictions(self.outputs.forget)
        self.post = Post(self._http, self._secret, self.dice)

    def turn(self, knobs: Knobs) -> None:
        """Use these knobs from now on; their faults and outcomes are copied, as they are used up.

        The throttle starts to count anew where its rule changed.
        """
        before = getattr(self, "knobs", None)
        if before is None or before.throttle != knobs.throttle:
            self.gate = Gate()
        if knobs.seed is not None:
            self.dice.seed(knobs.seed)
        self.knobs = knobs.fresh()

    def reset(self) -> None:
        """Forget everything and stop what is under way."""
        self.predictions.stop_all()
        self.post.stop_all()
        self._begin()

    def close(self) -> None:
        """Stop what is under way, for good."""
        self.reset()
        self._http.close()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def fault(self, endpoint: str, phase: str) -> Fault | None:
        """Return the fault that is due, if any."""
        return chosen(self.knobs.faults, endpoint, phase, self.dice)

    def next_outcome(self) -> Outcome | None:
        """Take the next forced outcome, if any."""
        return self.knobs.outcomes.popleft() if self.knobs.outcomes else None

    def accept(self, prediction: Prediction) -> None:
        """Keep the prediction and begin to run it."""
        self.predictions.add(prediction)
        self.record.accepted(prediction.id, prediction.input)
        prediction.task = asyncio.create_task(self._run(prediction))

    def cancel(self, prediction: Prediction) -> None:
        """End the prediction as its user wishes; one that has ended stays as it is."""
        if not prediction.ended and prediction.task:
            prediction.task.cancel()
        self._end(prediction, "canceled")

    async def pause(self, span: Span) -> None:
        """Wait as long as the knob says."""
        if seconds := drawn(span, self.dice):
            await asyncio.sleep(seconds)

    def tidy(self) -> None:
        """Remove what is too old or too much."""
        self.predictions.remove_old_data(self.knobs.retention)
        self.files.remove_old()
        while self.outputs.size > MOST_BYTES and self.predictions.remove_oldest_data():
            pass

    async def _run(self, prediction: Prediction) -> None:
        try:
            async with asyncio.timeout(prediction.cancel_after):
                await self._live(prediction, prediction.outcome)
        except TimeoutError:
            self._end(prediction, "canceled" if prediction.started else "aborted")
        except fetch.BadInput as error:
            self._end(prediction, "failed", str(error))

    async def _live(self, prediction: Prediction, outcome: Outcome) -> None:
        await self.pause(self.knobs.start_latency)
        if outcome.status == "aborted":
            return self._end(prediction, "aborted", outcome.error)
        if outcome.status == "starting":
            await _hang(outcome.seconds)
        prediction.start()
        self._announce(prediction, "start")
        await self.pause(self.knobs.process_latency)
        if outcome.status in {"failed", "canceled"}:
            return self._end(prediction, outcome.status, outcome.error)
        return await self._produce(prediction, outcome)

    async def _produce(self, prediction: Prediction, outcome: Outcome) -> None:
        hanging = outcome.status == "processing"
        if hanging and not outcome.output:
            await _hang(outcome.seconds)
        result = await self._result(prediction)
        prediction.output = self.outputs.add(prediction, result, self.knobs.output_kind)
        self._announce(prediction, "logs")
        self._announce(prediction, "output")
        if hanging and outcome.output:
            prediction.shown.set()
            await _hang(outcome.seconds)
        self._end(prediction, "succeeded")

    async def _result(self, prediction: Prediction) -> bytes:
        images = prediction.input.get("image_input") or []
        extension = output_format(prediction.input)
        if self.knobs.canned_result or not images:
            return canned(extension)
        return await self._transformed(prediction, images[0])

    async def _transformed(self, prediction: Prediction, url: str) -> bytes:
        given = prediction.input
        picture = await fetch.image(self._http, url)
        ratio = str(given.get("aspect_ratio") or "match_input_image")
        run = asyncio.get_running_loop().run_in_executor
        try:
            return await run(
                self._pool,
                model.optimize,
                picture,
                str(given["prompt"]),
                ratio,
                output_format(given),
            )
        except ValueError as error:
            raise fetch.BadInput(f"cannot identify image file ({error})", url) from None

    def _end(self, prediction: Prediction, status: str, error: str | None = None) -> None:
        if prediction.end(status, error):
            if status != "succeeded":
                self.outputs.forget(prediction)
                prediction.output = None
            self.predictions.ended(prediction)
            self._announce(prediction, "completed")

    def _announce(self, prediction: Prediction, event: str) -> None:
        self.post.announce(prediction, event, self.knobs.webhooks)


async def _hang(seconds: float | None) -> None:
    """Wait so long, or until this task is canceled."""
    if seconds is None:
        await asyncio.Event().wait()
    else:
        await asyncio.sleep(seconds)
