"""The first half of an image's life: wait for a slot, claim the image whose turn it is, create.

A message only says that one more image is due. Which one is decided when the slot is there.
"""

from typing import NamedTuple

import structlog

from models import lifecycle, turns
from models.controls import Terms
from models.orders import Noted, Turn
from models.tables import IN_DOUBT, NOT_ENDED, States
from tasks import uploads, webhooks
from tasks.celery import app
from tasks.download import Stopping
from tasks.gear import Gear, gear
from tasks.limiter import Grant, LimiterUnavailable
from tasks.prediction import ModelInput, Prediction
from tasks.provider_errors import (
    NotSent,
    OperatorNeeded,
    Permanent,
    ProviderError,
    RateLimited,
    Retryable,
)
from tasks.strays import cancel_unwanted
from tasks.waiting import NotWanted, Paused

log = structlog.get_logger(__name__)

# How long a task waits for a slot before it passes its message on: below `visibility_timeout`.
PATIENCE = 25.0
# After `Cancel-After` has passed at Replicate: time for the create to get there, and for clocks.
DEADLINE_SLACK = 60.0
# How long nothing is sent when the account is refused; then one image tries whether it works again.
OPERATOR_PAUSE = 60.0
# How long nothing is sent when Replicate cannot be reached.
OUTAGE_PAUSE = 10.0
# How long an image rests whose upload could not be made readable for Replicate.
COPY_PAUSE = 10.0


class Started(NamedTuple):
    """An image that was claimed, and the grant to send its create with."""

    turn: Turn
    grant: Grant


@app.task(name="optimize-next-image", acks_late=True)
def optimize_next_image() -> str:
    """See `optimize_next`; Flower shows what it returns."""
    return optimize_next(gear())


def optimize_next(gear: Gear, patience: float = PATIENCE) -> str:
    """Start the prediction of the next image, when the limiter allows it; say what was done.

    After `patience` seconds without a slot the message goes to another task.
    """
    outcome = gear.slots.acquire(
        gear.stopping, lambda: _wanted(gear), patience, lambda grant: _claim(gear, grant)
    )
    match outcome:
        case Started():
            return _start(gear, outcome)
        case NotWanted():
            return "nothing is due"
        case Paused():
            return f"paused for {outcome.seconds:.0f} s: {outcome.reason}"
    # Something is due and it was not this task's: its message goes to another one.
    gear.waker.top_up(1, "passed on")
    return "passed on"


def _wanted(gear: Gear) -> Terms | None:
    with gear.database():
        return turns.wanted()


def _claim(gear: Gear, grant: Grant) -> Started | None:
    with gear.database():
        turn = lifecycle.claim_next(_deadline(gear), uploads.public(gear))
    if turn is None or turn.to_copy:
        gear.limiter.give_back(grant)
    return Started(turn, grant) if turn else None


def _deadline(gear: Gear) -> float:
    return gear.settings.prediction_deadline + DEADLINE_SLACK


def _start(gear: Gear, started: Started) -> str:
    turn = started.turn
    with structlog.contextvars.bound_contextvars(
        instance=turn.instance_id, job=turn.job_id, item=turn.item_id, attempt=turn.attempt_id
    ):
        done = _copy(gear, turn) if turn.to_copy else _create(gear, turn, started.grant)
        return f"item {turn.item_id} {done}"


def _copy(gear: Gear, turn: Turn) -> str:
    """The slot has been given back: what Replicate cannot read yet is made readable for the item's
    next turn."""
    try:
        uploads.copy(gear, turn.to_copy, _deadline(gear))
    except Stopping:
        return _wait_again(gear, turn, "stopping")
    except ProviderError as error:
        log.warning("upload not copied", outcome=error.outcome, detail=error.detail)
        return _not_copied(gear, turn, error)
    return _wait_again(gear, turn, "copied")


def _not_copied(gear: Gear, turn: Turn, error: ProviderError) -> str:
    """Only what concerns the account stops the others: their images may need no copy at all."""
    match error:
        case RateLimited() | OperatorNeeded():
            return _after_error(gear, turn, error)
        case Permanent():
            # Nothing was sent, so nobody has to pay.
            return _fail(gear, turn, error.code, refund=True)
    with gear.database():
        lifecycle.requeue(turn.attempt_id, "not_copied", after=COPY_PAUSE, states=IN_DOUBT)
    gear.waker.announce(COPY_PAUSE)
    return f"rests for {COPY_PAUSE:.0f} s: not copied"


def _create(gear: Gear, turn: Turn, grant: Grant) -> str:
    """Send the create, with no transaction and no app context open."""
    try:
        prediction = gear.replicate.create_image_optimization_prediction(
            ModelInput.of(turn),
            webhooks.address(gear.settings, turn.reference),
            model=turn.model,
            may_send=lambda: gear.limiter.is_fresh(grant),
        )
    except NotSent:
        # The slot stays counted: to give it back now would let the next create come too soon
        # after one that was slow to leave.
        return _warm_up(gear, turn)
    except ProviderError as error:
        log.warning("create failed", outcome=error.outcome, detail=error.detail)
        return _after_error(gear, turn, error)
    age = gear.limiter.age(grant)
    noted = _note(gear, turn, prediction)
    _tell_arrival(gear, grant, age)
    return noted


def _tell_arrival(gear: Gear, grant: Grant, age: float) -> None:
    """Nothing depends on it but how soon the slot comes round again."""
    try:
        gear.limiter.arrived(grant, age)
    except LimiterUnavailable as error:
        log.warning("arrival not told", error=str(error))


def _warm_up(gear: Gear, turn: Turn) -> str:
    """To connect may take longer than a grant is good for: do it now, for the next grant."""
    answer = _wait_again(gear, turn, "stale_grant")
    try:
        gear.replicate.warm_up()
    except ProviderError as error:
        log.warning("not warmed up", outcome=error.outcome, detail=error.detail)
    return answer


def _note(gear: Gear, turn: Turn, prediction: Prediction) -> str:
    """Write the id down at once; from here on nobody owns the item.

    What its shop wanted canceled while its create was on the way is followed at once: who follows
    it asks for that.
    """
    poll = gear.settings.poll_interval
    with gear.database():
        noted = lifecycle.note(turn.attempt_id, prediction.id, poll)
    if not noted:
        return _cancel(gear, turn, prediction)
    log.info("prediction created", prediction=prediction.id)
    if noted == Noted.UNWANTED:
        gear.waker.follow(turn.attempt_id, 1)
    elif not webhooks.used(gear.settings):
        gear.waker.follow(turn.attempt_id, 1, poll)
    return f"is prediction {prediction.id}"


def _cancel(gear: Gear, turn: Turn, prediction: Prediction) -> str:
    """The attempt ended before its create did: nobody waits for this prediction."""
    log.warning("prediction came too late", prediction=prediction.id)
    cancel_unwanted(gear, turn.attempt_id, prediction.id)
    return f"was given up before {prediction.id} was created"


def _after_error(gear: Gear, turn: Turn, error: ProviderError) -> str:
    """Later, never or unknown: the errors were sorted where they were met."""
    match error:
        case RateLimited():
            _pause(gear, error.after, "throttled")
            return _wait_again(gear, turn, "throttled")
        case OperatorNeeded():
            log.critical("Replicate refuses the account: nothing is sent", reason=error.reason)
            _pause(gear, OPERATOR_PAUSE, error.reason)
            return _wait_again(gear, turn, error.reason)
        case Permanent():
            return _fail(gear, turn, error.code, gear.settings.refund_failed)
        case Retryable():
            # Nothing was sent, and the next image would meet the same: an outage fails nobody's.
            _pause(gear, error.after or OUTAGE_PAUSE, "unreachable")
            return _wait_again(gear, turn, "unreachable")
    # Ambiguous: it may have been accepted. The sweep looks for it (tasks/reconcile.py).
    return "may have been created: the sweep looks for it"


def _fail(gear: Gear, turn: Turn, code: str, refund: bool) -> str:
    with gear.database():
        lifecycle.fail(turn.attempt_id, code, refund, IN_DOUBT)
    return f"failed: {code}"


def rest(
    gear: Gear,
    attempt_id: int,
    outcome: str,
    *,
    attempts: int = lifecycle.MAX_ATTEMPTS,
    code: str = lifecycle.TOO_MANY_ATTEMPTS,
    states: States = NOT_ENDED,
) -> str:
    """Let an item whose attempt failed rest before the next one, or fail it with `code` after the
    last of `attempts`. Nothing happens to an attempt that is in none of `states`.
    """
    with gear.database():
        moved = lifecycle.requeue(
            attempt_id,
            outcome,
            backoff=gear.settings.retry_pause,
            attempts=attempts,
            code=code,
            refund=gear.settings.refund_failed,
            states=states,
        )
    if moved.canceled:
        return f"is canceled: {outcome}"
    if moved.due_in is None:
        return f"failed: {code}" if moved.moved else "was settled by somebody else"
    gear.waker.announce(moved.due_in)
    return f"rests for {moved.due_in:.0f} s: {outcome}"


def _wait_again(gear: Gear, turn: Turn, outcome: str) -> str:
    """Nothing was sent: the item is due again at once and has lost no attempt."""
    with gear.database():
        moved = lifecycle.requeue(turn.attempt_id, outcome, states=IN_DOUBT)
    if moved.canceled:
        return f"is canceled: {outcome}"
    gear.waker.top_up(1, f"item {turn.item_id} waits again")
    return f"waits again: {outcome}"


def _pause(gear: Gear, seconds: float, reason: str) -> None:
    """Stop every worker. Without Redis nothing is granted anyway, so the item still moves on."""
    log.warning("sending pauses", reason=reason, seconds=seconds)
    try:
        gear.limiter.pause(seconds, reason)
    except LimiterUnavailable as error:
        log.warning("pause not set", reason=reason, error=str(error))
    gear.waker.announce(seconds)
