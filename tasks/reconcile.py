"""Creates in doubt: find the prediction that they made, or know that there is none.

A worker died, or the answer got lost, between "about to create" and the noted id. Replicate's list
of predictions tells what was accepted. Two images with identical inputs are interchangeable, so
each prediction found is given to one of them. Now and then the list is read without any doubt, for
predictions that nobody waits for (`tasks.strays`).
"""

import threading
from collections.abc import Sequence
from datetime import datetime

import structlog

from models import following, lifecycle, strays
from models.following import Creation, Doubt
from models.tables import IN_DOUBT
from tasks.download import Stopping
from tasks.gear import Gear
from tasks.optimize import rest
from tasks.prediction import Prediction
from tasks.strays import CLOCK_SLACK, made_by, made_then, sort_out

log = structlog.get_logger(__name__)

PAGE = 100
# How often (seconds) the list is read without any doubt, and how far back at least.
LOOK_ROUND_EVERY = 300.0
LOOK_BACK = 600.0
# Replicate lets an account create 600 a minute: so many in the longest time that is looked back.
MOST_PAGES = 400
MOST_UNDER_WAY = 1000
# A list may take longer than the next sweeps are away: they must not all hold a thread for it.
_reading = threading.Lock()


def reconcile(gear: Gear) -> str:
    """Adopt what was created, give up what certainly was not; say how many were in doubt.

    Raises `Retryable` when Replicate's list cannot be read, and `Stopping` when the process ends:
    then nothing is known, and nothing is adopted or given up.
    """
    if not _reading.acquire(blocking=False):
        return "the list is being read"
    try:
        return _reconcile(gear)
    finally:
        _reading.release()


def _reconcile(gear: Gear) -> str:
    with gear.database():
        doubts = following.creates_in_doubt(PAGE)
        looking_round = following.beat("look-round", at_most_every=LOOK_ROUND_EVERY)
    for doubt in doubts:
        if doubt.never_sent:
            _send_after_all(gear, doubt)
        elif doubt.forgotten:
            _lose(gear, doubt)
    open_doubts = [each for each in doubts if not (each.forgotten or each.never_sent)]
    if open_doubts or looking_round:
        _look(gear, open_doubts)
    return f"{len(doubts)} creates in doubt"


def _look(gear: Gear, doubts: Sequence[Doubt]) -> None:
    """Read the list back to the oldest doubt, and for the last minutes in any case."""
    with gear.database():
        recent = strays.moment(LOOK_BACK)
    since = min([recent, *(doubt.created_at for doubt in doubts)]) - CLOCK_SLACK
    listed = _listed(gear, since)
    # Read after the list: who made one of these is under way, or has noted it by now.
    with gear.database():
        under_way = following.creates_under_way(MOST_UNDER_WAY)
        given_up = strays.given_up(since, MOST_UNDER_WAY)
        known = following.known_predictions([each.id for each in listed])
    unclaimed = [each for each in reversed(listed) if each.id not in known]
    in_doubt = {doubt.attempt_id for doubt in doubts}
    living = [each for each in under_way if each.attempt_id not in in_doubt]
    for doubt in doubts:
        _settle(gear, doubt, unclaimed, living)
    sort_out(gear, unclaimed, under_way, given_up)


def _send_after_all(gear: Gear, doubt: Doubt) -> None:
    """Its process ended while it made a copy of an upload: that is no doubt, and costs nothing."""
    with gear.database():
        moved = lifecycle.requeue(doubt.attempt_id, "not_copied", states=IN_DOUBT)
    if moved.due_in is not None:
        gear.waker.top_up(1, "an upload is to be copied again")


def _lose(gear: Gear, doubt: Doubt) -> None:
    """Whether it was made cannot be told any more, so it is not made a second time."""
    log.error("create in doubt for too long", attempt=doubt.attempt_id)
    with gear.database():
        lifecycle.fail(doubt.attempt_id, "result_lost", refund=True, states=IN_DOUBT)


def _settle(
    gear: Gear, doubt: Doubt, unclaimed: list[Prediction], living: Sequence[Creation]
) -> None:
    """Another process may do the same now: only what really was adopted is used up, and only an
    attempt that nobody gave a prediction is given up."""
    for prediction in [each for each in unclaimed if _made_by(doubt, each)]:
        # Its own create is about to note it; the next sweep sees which one is left over.
        if not doubt.overdue and any(made_then(each, prediction) for each in living):
            continue
        if _adopt(gear, doubt, prediction):
            unclaimed.remove(prediction)
            return
    if doubt.overdue:
        log.warning("create left no trace", attempt=doubt.attempt_id)
        rest(gear, doubt.attempt_id, "no_trace", states=IN_DOUBT)


def _listed(gear: Gear, since: datetime) -> list[Prediction]:
    """The predictions of the account since then, newest first."""
    listed = []
    for prediction in gear.replicate.list_predictions(since, MOST_PAGES):
        if gear.stopping.is_set():
            raise Stopping
        listed.append(prediction)
    return listed


def _made_by(doubt: Doubt, prediction: Prediction) -> bool:
    in_time = prediction.created_at and prediction.created_at >= doubt.created_at - CLOCK_SLACK
    return bool(in_time) and made_by(doubt, prediction)


def _adopt(gear: Gear, doubt: Doubt, prediction: Prediction) -> bool:
    with gear.database():
        adopted = lifecycle.adopt(doubt.attempt_id, prediction.id)
    if adopted:
        log.info("prediction adopted", attempt=doubt.attempt_id, prediction=prediction.id)
        gear.waker.follow(doubt.attempt_id, 1)
    return adopted
