"""A webhook has come: look at its prediction now. Its body is a hint, Replicate is asked."""

import structlog

from models import following, lifecycle
from models.following import Addressee
from models.tables import AttemptStatus
from tasks.celery import app
from tasks.collect import collect
from tasks.gear import Gear, gear
from tasks.prediction import Prediction
from tasks.provider_errors import ProviderError
from tasks.strays import cancel_unwanted, made_by

log = structlog.get_logger(__name__)


@app.task(name="heed-webhook", acks_late=True)
def heed_webhook(reference: str, prediction_id: str) -> str:
    """See `heed`; Flower shows what it returns."""
    with structlog.contextvars.bound_contextvars(prediction=prediction_id):
        return f"prediction {prediction_id} {heed(gear(), reference, prediction_id)}"


def heed(gear: Gear, reference: str, prediction_id: str) -> str:
    """Act on the webhook of a prediction that was created with `reference`.

    It may come twice, late, before the create's own answer, or for what was settled long ago.
    """
    to = _addressee(gear, reference, prediction_id)
    if to is None:
        log.warning("webhook of an unknown attempt")
        return "is not of this service"
    if to.prediction_id == prediction_id:
        return _collect(gear, to)
    prediction = _made_by(gear, to, prediction_id)
    if prediction is None:
        return "could not be asked for, or is another image's: the sweep will tell"
    return _note(gear, to, reference, prediction)


def _addressee(gear: Gear, reference: str, prediction_id: str) -> Addressee | None:
    with gear.database():
        return following.addressee(reference, prediction_id)


def _collect(gear: Gear, to: Addressee) -> str:
    if to.status == AttemptStatus.ENDED:
        return "was settled before"
    return collect(gear, to.attempt_id, to.number)


def _made_by(gear: Gear, to: Addressee, prediction_id: str) -> Prediction | None:
    """Ask Replicate: a signature does not cover the path, so the reference alone proves nothing."""
    try:
        prediction = gear.replicate.get_prediction(prediction_id)
    except ProviderError as error:
        log.warning("asked in vain", outcome=error.outcome, detail=error.detail)
        return None
    if made_by(to, prediction):
        return prediction
    log.error("webhook at another image's address", attempt=to.attempt_id)
    return None


def _note(gear: Gear, to: Addressee, reference: str, prediction: Prediction) -> str:
    """It was faster than the create's own answer, or that got lost, or the attempt was given up."""
    with gear.database():
        wanted = lifecycle.note(to.attempt_id, prediction.id, 0.0)
    if not wanted:
        log.error("prediction that nobody wants", attempt=to.attempt_id)
        cancel_unwanted(gear, to.attempt_id, prediction.id)
        return "is not wanted any more"
    # Its own attempt has it, or another one with the same input.
    owner = _addressee(gear, reference, prediction.id)
    assert owner is not None
    return _collect(gear, owner)
