"""Creates in doubt: find the prediction that they made, or know that there is none.

A worker died, or the answer got lost, between "about to create" and the noted id. Replicate's list
of predictions tells what was accepted. Two images with identical inputs are interchangeable, so
each prediction found is given to one of them.
"""

from collections.abc import Sequence
from datetime import timedelta

import structlog

from models import following, lifecycle
from models.following import Doubt
from models.tables import IN_DOUBT
from tasks.download import Stopping
from tasks.gear import Gear
from tasks.optimize import rest
from tasks.prediction import ModelInput, Prediction
from tasks.provider_errors import MESSAGES

log = structlog.get_logger(__name__)

PAGE = 100
# How far Replicate's clock may be off the database's.
CLOCK_SLACK = timedelta(minutes=5)


def reconcile(gear: Gear) -> int:
    """Adopt what was created, give up what certainly was not; return how many were in doubt.

    Raises `Retryable` when Replicate's list cannot be read, and `Stopping` when the process ends:
    then nothing is known, and nothing is adopted or given up.
    """
    with gear.database():
        doubts = following.creates_in_doubt(PAGE)
    if not doubts:
        return 0
    for doubt in doubts:
        if doubt.forgotten:
            _lose(gear, doubt)
    open_doubts = [doubt for doubt in doubts if not doubt.forgotten]
    unclaimed = _unclaimed(gear, open_doubts) if open_doubts else []
    for doubt in open_doubts:
        _settle(gear, doubt, unclaimed)
    return len(doubts)


def _lose(gear: Gear, doubt: Doubt) -> None:
    """Whether it was made cannot be told any more, so it is not made a second time."""
    log.error("create in doubt for too long", attempt=doubt.attempt_id)
    message = MESSAGES["result_lost"]
    with gear.database():
        lifecycle.fail(doubt.attempt_id, "result_lost", message, refund=True, states=IN_DOUBT)


def _settle(gear: Gear, doubt: Doubt, unclaimed: list[Prediction]) -> None:
    """Another process may do the same now: only what really was adopted is used up, and only an
    attempt that nobody gave a prediction is given up."""
    for prediction in [each for each in unclaimed if _made_by(doubt, each)]:
        if _adopt(gear, doubt, prediction):
            unclaimed.remove(prediction)
            return
    if doubt.overdue:
        log.warning("create left no trace", attempt=doubt.attempt_id)
        rest(gear, doubt.attempt_id, "no_trace", states=IN_DOUBT)


def _unclaimed(gear: Gear, doubts: Sequence[Doubt]) -> list[Prediction]:
    """The predictions since the oldest doubt that no attempt has, oldest first."""
    since = min(doubt.created_at for doubt in doubts) - CLOCK_SLACK
    listed = []
    for prediction in gear.replicate.list_predictions(since):
        if gear.stopping.is_set():
            raise Stopping
        listed.append(prediction)
    with gear.database():
        known = following.known_predictions([each.id for each in listed])
    return [each for each in reversed(listed) if each.id not in known]


def _made_by(doubt: Doubt, prediction: Prediction) -> bool:
    wanted = ModelInput(doubt.prompt, doubt.image_url, doubt.aspect_ratio, doubt.output_format)
    in_time = prediction.created_at and prediction.created_at >= doubt.created_at - CLOCK_SLACK
    return bool(in_time) and wanted.as_json().items() <= prediction.input.items()


def _adopt(gear: Gear, doubt: Doubt, prediction: Prediction) -> bool:
    with gear.database():
        adopted = lifecycle.adopt(doubt.attempt_id, prediction.id)
    if adopted:
        log.info("prediction adopted", attempt=doubt.attempt_id, prediction=prediction.id)
        gear.waker.follow(doubt.attempt_id, 1)
    return adopted
