"""Predictions of this service that nobody wants, and predictions that are not this service's.

The first are canceled until Replicate confirms their end. The others (staging, somebody's
playground) are counted, and never touched.
"""

from collections.abc import Sequence
from datetime import timedelta

import structlog

from models import strays
from models.following import Creation
from models.strays import GivenUp
from models.turns import LEASE_SECONDS
from tasks.gear import Gear
from tasks.measure import tell_unknown
from tasks.prediction import ModelInput, Prediction
from tasks.provider_errors import Permanent, ProviderError, ResultGone

log = structlog.get_logger(__name__)

PAGE = 100
# How far Replicate's clock may be off the database's.
CLOCK_SLACK = timedelta(minutes=5)


def cancel_all_unwanted(gear: Gear) -> int:
    """Ask Replicate to end what nobody wants; return how many were asked for."""
    with gear.database():
        unwanted = strays.take_unwanted(PAGE)
    for attempt_id, prediction_id in unwanted:
        if gear.stopping.is_set():
            break
        if not cancel_unwanted(gear, attempt_id, prediction_id):
            break  # The others are as likely to wait in vain, each for seconds.
    return len(unwanted)


def cancel_unwanted(gear: Gear, attempt_id: int, prediction_id: str) -> bool:
    """Ask Replicate to end a prediction; False where it cannot be asked now.

    Until it says that the prediction has ended, the sweep asks again. That is not for ever:
    `Cancel-After` ends what runs, and later nobody knows it any more.
    """
    try:
        ended = _has_ended(gear, prediction_id)
    except ProviderError as error:
        log.warning("stray not canceled", prediction=prediction_id, why=error.detail)
        return False
    log.warning("stray canceled", attempt=attempt_id, prediction=prediction_id, ended=ended)
    if ended:
        with gear.database():
            strays.confirm_end(attempt_id, prediction_id)
    return True


def _has_ended(gear: Gear, prediction_id: str) -> bool:
    try:
        return gear.replicate.cancel_prediction(prediction_id).finished
    except ResultGone:
        return True
    except Permanent:
        # Refused, perhaps because there is nothing left to cancel: then it shows that.
        return gear.replicate.get_prediction(prediction_id).finished


def sort_out(
    gear: Gear,
    unclaimed: Sequence[Prediction],
    under_way: Sequence[Creation],
    given_up: Sequence[GivenUp],
) -> int:
    """Sort the predictions that no attempt has, and return how many are not this service's.

    What a create under way may have made is left alone, and so is what an item that is not final
    may still be given. What a final one's attempt made is remembered, for `cancel_all_unwanted`.
    """
    unknown = 0
    free = list(given_up)
    for prediction in unclaimed:
        if any(made_by(each, prediction) for each in under_way):
            continue
        maker = next((each for each in free if made_then(each, prediction)), None)
        if maker is None:
            unknown += 1
        elif maker.final:
            free.remove(maker)
            with gear.database():
                strays.trace(maker.attempt_id, prediction.id)
    tell_unknown(gear.redis, unknown)
    return unknown


def made_then(creation: Creation, prediction: Prediction) -> bool:
    """Whether its create made it, by the time too: the same input may come from elsewhere later."""
    latest = creation.created_at + timedelta(seconds=LEASE_SECONDS) + CLOCK_SLACK
    moment = prediction.created_at
    in_time = moment is not None and creation.created_at - CLOCK_SLACK <= moment <= latest
    return in_time and made_by(creation, prediction)


def made_by(creation: Creation, prediction: Prediction) -> bool:
    """Whether the attempt's create may have made this prediction: identical inputs of one model are
    all one. A list that does not tell the models cannot tell them apart."""
    same_model = prediction.model in {None, creation.model}
    return same_model and ModelInput.of(creation).is_input_of(prediction)
