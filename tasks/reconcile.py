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
from tasks.gear import Gear
from tasks.optimize import rest
from tasks.prediction import ModelInput, Prediction

log = structlog.get_logger(__name__)

PAGE = 100
# How far Replicate's clock may be off the database's.
CLOCK_SLACK = timedelta(minutes=5)


def reconcile(gear: Gear) -> int:
    """Adopt what was created, give up what certainly was not; return how many were in doubt.

    Raises `Retryable` when Replicate's list cannot be read: then nothing is known, and nothing
    changes.
    """
    with gear.database():
        doubts = following.creates_in_doubt(PAGE)
    if not doubts:
        return 0
    unclaimed = _unclaimed(gear, doubts)
    for doubt in doubts:
        found = next((each for each in unclaimed if _made_by(doubt, each)), None)
        if found:
            unclaimed.remove(found)
            _adopt(gear, doubt, found)
        elif doubt.overdue:
            log.warning("create left no trace", attempt=doubt.attempt_id)
            rest(gear, doubt.attempt_id, "no_trace", "model_busy")
    return len(doubts)


def _unclaimed(gear: Gear, doubts: Sequence[Doubt]) -> list[Prediction]:
    """The predictions since the oldest doubt that no attempt has, oldest first."""
    since = min(doubt.created_at for doubt in doubts) - CLOCK_SLACK
    listed = list(gear.replicate.list_predictions(since))
    with gear.database():
        known = following.known_predictions([each.id for each in listed])
    return [each for each in reversed(listed) if each.id not in known]


def _made_by(doubt: Doubt, prediction: Prediction) -> bool:
    wanted = ModelInput(doubt.prompt, doubt.image_url, doubt.aspect_ratio, doubt.output_format)
    in_time = prediction.created_at and prediction.created_at >= doubt.created_at - CLOCK_SLACK
    return bool(in_time) and wanted.as_json().items() <= prediction.input.items()


def _adopt(gear: Gear, doubt: Doubt, prediction: Prediction) -> None:
    log.info("prediction adopted", attempt=doubt.attempt_id, prediction=prediction.id)
    with gear.database():
        lifecycle.note(doubt.attempt_id, prediction.id, check_in=0.0)
    gear.waker.follow(doubt.attempt_id, 1)
