"""The second half of an image's life: ask about its prediction, keep its result, settle it."""

import structlog

from models import following, lifecycle
from models.following import Check
from tasks import webhooks
from tasks.celery import app
from tasks.download import Stopping
from tasks.gear import Gear, gear
from tasks.optimize import rest
from tasks.prediction import Prediction
from tasks.provider_errors import (
    OperatorNeeded,
    Permanent,
    ResultGone,
    Retryable,
    sort_failure,
)
from tasks.recompress import recompress
from tasks.storage import check_image

log = structlog.get_logger(__name__)

# After this a check counts as lost. One whose download takes longer gets company: two followers do
# no harm, and what a dead one held must not wait for the longest download.
CHECK_SECONDS = 30.0
# Most runs end within this time, and somebody looks at the page; what takes longer is asked about
# in growing pauses.
STEADY_SECONDS = 30.0
POLL_GROWTH = 1.5
LONGEST_POLL = 15.0
# After a fault of Replicate or of the storage.
FAULT_PAUSE = 5.0


@app.task(name="collect-prediction", acks_late=True)
def collect_prediction(attempt_id: int, number: int) -> str:
    """See `collect`; Flower shows what it returns."""
    return collect(gear(), attempt_id, number)


def collect(gear: Gear, attempt_id: int, number: int) -> str:
    """Ask about an attempt's prediction for the `number`-th time and act on the answer."""
    with gear.database():
        check = following.take_check(attempt_id, number, CHECK_SECONDS)
    if check is None:
        return f"attempt {attempt_id} was looked after by somebody else"
    with structlog.contextvars.bound_contextvars(
        instance=check.instance_id,
        job=check.job_id,
        item=check.item_id,
        attempt=attempt_id,
        prediction=check.prediction_id,
    ):
        return f"item {check.item_id} {_ask(gear, check)}"


def _ask(gear: Gear, check: Check) -> str:
    try:
        return _settle(gear, check, _look(gear, check))
    except Stopping:
        return _later(gear, check, 0.0, "left to another process")
    except OperatorNeeded as error:
        log.critical("Replicate refuses the account", reason=error.reason)
        return _later(gear, check, LONGEST_POLL, error.reason)
    except Retryable as error:
        log.warning("asked in vain", outcome=error.outcome, detail=error.detail)
        if check.forgotten:
            # Whatever it is that keeps it from being read: there is nothing left to be kept.
            return _fail(gear, check, "result_lost")
        return _later(gear, check, max(error.after or 0.0, FAULT_PAUSE), error.outcome)
    except Permanent as error:
        log.warning("result not usable", code=error.code, detail=error.detail)
        return _fail(gear, check, error.code)


def _look(gear: Gear, check: Check) -> Prediction:
    """What its shop wants canceled is asked to end first, and the answer tells whether it did."""
    if check.unwanted:
        try:
            asked = gear.replicate.cancel_prediction(check.prediction_id)
        except (Permanent, Retryable) as error:
            # Perhaps it has just ended. However long this is refused, its result must be saved.
            log.warning("not canceled", outcome=error.outcome, detail=error.detail)
        else:
            log.info("asked to cancel", status=asked.status)
            # It was faster, and its result is wanted: the answer to a cancel need not show one.
            if asked.status != "succeeded":
                return asked
    return gear.replicate.get_prediction(check.prediction_id)


def _settle(gear: Gear, check: Check, prediction: Prediction) -> str:
    match prediction.status:
        case "succeeded":
            return _keep(gear, check, prediction)
        case "failed":
            return _after_failure(gear, check, prediction)
        case "canceled" | "aborted":
            return rest(gear, check.attempt_id, prediction.status, code="timed_out")
    if prediction.data_removed:
        raise ResultGone(f"Replicate deleted it as {prediction.status}")
    if check.overdue:
        return _end(gear, check, prediction)
    return _wait(gear, check, prediction.status)


def _wait(gear: Gear, check: Check, why: str) -> str:
    """Ask again after a pause; where a webhook will tell, leave it to the sweep."""
    poll = gear.settings.poll_interval
    if webhooks.used(gear.settings):
        with gear.database():
            following.check_in(check.attempt_id, poll)
        return f"is waited for: {why}"
    return _later(gear, check, pause(poll, check.number), why)


def pause(poll: float, number: int) -> float:
    """The seconds from the `number`-th look at a prediction to the next one."""
    longer = number - int(STEADY_SECONDS / poll)
    # Bounded before it grows: a day of checks would be more than a float can hold.
    return min(poll * POLL_GROWTH ** min(max(0, longer), 13), LONGEST_POLL)


def _end(gear: Gear, check: Check, prediction: Prediction) -> str:
    """`Cancel-After` should have ended it. What the next check finds decides, because it may
    have succeeded just now."""
    log.warning("prediction overdue: canceling it", status=prediction.status)
    try:
        gear.replicate.cancel_prediction(check.prediction_id)
    except Permanent as error:
        # Perhaps it had just ended.
        log.warning("not canceled", code=error.code, detail=error.detail)
    return _later(gear, check, FAULT_PAUSE, "overdue")


def _keep(gear: Gear, check: Check, prediction: Prediction) -> str:
    """Copy the result, because Replicate deletes it within the hour, and only then say DONE.

    The key belongs to the attempt, so a second follower of it writes the same object again.
    """
    if prediction.output is None or prediction.data_removed:
        raise ResultGone("the prediction succeeded and shows no output")
    _unless_stopping(gear)
    data = gear.downloader.download_result(prediction.output, gear.stopping)
    kind = check_image(data)
    if check.quality:
        data, kind = recompress(data, kind, check.quality)
    _unless_stopping(gear)
    key = f"{check.result_key}.{kind.extension}"
    gear.storage.put(key, data, kind.content_type)
    with gear.database():
        kept = lifecycle.finish(check.attempt_id, key, kind.content_type)
    log.info("result stored", key=key, bytes=len(data), kept=kept)
    return "is done" if kept else "was settled by somebody else"


def _unless_stopping(gear: Gear) -> None:
    """Each step is bounded below 8 s; only one of them may still begin before the process ends."""
    if gear.stopping.is_set():
        raise Stopping


def _after_failure(gear: Gear, check: Check, prediction: Prediction) -> str:
    failure = sort_failure(prediction.error)
    report = log.critical if failure.alarm else log.warning
    report("prediction failed", code=failure.code, error=prediction.error)
    if failure.retry == "never":
        return _fail(gear, check, failure.code)
    if failure.retry == "later":
        return rest(gear, check.attempt_id, failure.code)
    return rest(gear, check.attempt_id, failure.code, attempts=2, code=failure.code)


def _fail(gear: Gear, check: Check, code: str) -> str:
    """What Darkroom lost is given back whatever the setting says: the shop is not to blame."""
    refund = gear.settings.refund_failed or code == "result_lost"
    with gear.database():
        lifecycle.fail(check.attempt_id, code, refund)
    return f"failed: {code}"


def _later(gear: Gear, check: Check, seconds: float, why: str) -> str:
    with gear.database():
        waits = following.check_in(check.attempt_id, seconds)
    if waits:
        gear.waker.follow(check.attempt_id, check.number + 1, seconds)
    return f"is looked at again in {seconds:.0f} s: {why}"
