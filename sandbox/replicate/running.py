"""The life of one prediction: starting, processing, and one of four ends."""

import asyncio
import logging

from sandbox.replicate import fetch, model
from sandbox.replicate.knobs import Outcome
from sandbox.replicate.latency import pause
from sandbox.replicate.models import MATCH, MODELS
from sandbox.replicate.outputs import canned, output_format
from sandbox.replicate.predictions import Prediction
from sandbox.replicate.world import World

log = logging.getLogger(__name__)


def accept(world: World, prediction: Prediction) -> None:
    """Keep the prediction, for which Replicate would charge from here on, and begin to run it."""
    world.predictions.add(prediction)
    world.record.accepted(prediction.id, prediction.input)
    task = asyncio.create_task(_run(world, prediction))
    task.add_done_callback(lambda done: _broken(world, prediction, done))
    prediction.task = task


def cancel(world: World, prediction: Prediction) -> None:
    """End the prediction as its user wishes; one that has ended stays as it is."""
    if not prediction.ended and prediction.task:
        prediction.task.cancel()
    _end(world, prediction, "canceled")


async def _run(world: World, prediction: Prediction) -> None:
    try:
        async with asyncio.timeout(prediction.cancel_after):
            await _live(world, prediction, prediction.outcome)
    except TimeoutError:
        _end(world, prediction, "canceled" if prediction.started else "aborted")
    except fetch.BadInput as error:
        _end(world, prediction, "failed", str(error))


def _broken(world: World, prediction: Prediction, task: "asyncio.Task[None]") -> None:
    """A bug of ours fails the prediction, as a model's bug does at Replicate, and is logged."""
    error = None if task.cancelled() else task.exception()
    if error:
        log.error("prediction %s broke the stand-in", prediction.id, exc_info=error)
        _end(world, prediction, "failed", f"{type(error).__name__}: {error}")


async def _live(world: World, prediction: Prediction, outcome: Outcome) -> None:
    await pause(world.knobs.start_latency, world.dice)
    if outcome.status == "aborted":
        return _end(world, prediction, "aborted", outcome.error)
    if outcome.status == "starting":
        await _hang(outcome.seconds)
    prediction.start()
    _announce(world, prediction, "start")
    await pause(world.knobs.process_latency, world.dice)
    if outcome.status in {"failed", "canceled"}:
        return _end(world, prediction, outcome.status, outcome.error)
    if outcome.status == "processing" and not outcome.output:
        await _hang(outcome.seconds)
    return await _produce(world, prediction, outcome)


async def _produce(world: World, prediction: Prediction, outcome: Outcome) -> None:
    result = await _result(world, prediction)
    prediction.output = world.outputs.add(prediction, result, world.knobs.output_kind)
    _announce(world, prediction, "logs")
    _announce(world, prediction, "output")
    if outcome.status == "processing" and outcome.output:
        prediction.shown.set()
        await _hang(outcome.seconds)
    _end(world, prediction, "succeeded")


async def _result(world: World, prediction: Prediction) -> bytes:
    images = prediction.input.get("image_input") or []
    if world.knobs.canned_result or not images:
        return canned(output_format(prediction.input))
    pictures = [await fetch.image(world.http, url) for url in images]
    return await _transformed(world, prediction, pictures)


async def _transformed(world: World, prediction: Prediction, pictures: list[bytes]) -> bytes:
    image, *references = pictures
    run = asyncio.get_running_loop().run_in_executor
    try:
        return await run(world.pool, model.optimize, image, _wish(prediction), references)
    except ValueError:
        url = prediction.input["image_input"][0]
        raise fetch.BadInput("cannot identify image file", url) from None


def _wish(prediction: Prediction) -> model.Wish:
    given, resolution = prediction.input, MODELS[prediction.model].resolution
    return model.Wish(
        prompt=given["prompt"],
        aspect_ratio=given.get("aspect_ratio") or MATCH,
        output_format=output_format(given),
        resolution=resolution and (given.get("resolution") or resolution),
    )


def _end(world: World, prediction: Prediction, status: str, error: str | None = None) -> None:
    if not prediction.end(status, error):
        return
    if status != "succeeded":
        world.outputs.forget(prediction)
        prediction.output = None
    world.predictions.ended(prediction)
    _announce(world, prediction, "completed")


def _announce(world: World, prediction: Prediction, event: str) -> None:
    world.post.announce(prediction, event, world.knobs.webhooks)


async def _hang(seconds: float | None) -> None:
    """Wait so long, or until this task is canceled."""
    if seconds is None:
        await asyncio.Event().wait()
    else:
        await asyncio.sleep(seconds)
