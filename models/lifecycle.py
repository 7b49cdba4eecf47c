"""Every change of an item's or a job's status, each one transaction.

    submit → PENDING → claim_next → RUNNING → note → finish → DONE
      │          ↑                     ├────────── requeue ↩
      │          └─────────────────────┴────────── fail → FAILED
      └─ expire → FAILED, cancel_waiting → CANCELED

What a shop wants canceled becomes CANCELED instead of PENDING (`models.cancellation`).

A move is compare-and-set: it happens only while the item is RUNNING and held by the attempt that
makes it, or PENDING, so a worker that was presumed dead and comes back changes nothing. Counters,
credits and the count of what is due change in the same transaction (`models.moves`).
"""

import time
from collections.abc import Sequence
from typing import Any

import structlog
from sqlalchemy import select, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from models import (
    cancellation,
    caps,
    copies,
    ledger,
    moves,
    ordering,
    predictions,
    turns,
)
from models.clock import from_now, now
from models.database import each_alone, lock_timed_out, transaction
from models.explanations import EXPLANATIONS
from models.ledger import Orderer
from models.moves import Held
from models.orders import JobOrder, Noted, Pricing, Receipt, Requeued, Turn
from models.tables import (
    NOT_ENDED,
    Item,
    States,
    Status,
)

log = structlog.get_logger(__name__)

MAX_ATTEMPTS = 5
# An item's pauses between attempts grow by this factor: 10 s, 30 s, 90 s, 270 s by default.
BACKOFF_FACTOR = 3
TOO_MANY_ATTEMPTS = "too_many_attempts"
# How long a claim waits for its turn: what it leaves of a grant's 200 ms is enough to send it.
IN_LINE_SECONDS = 0.12


@transaction
def submit(
    session: Session,
    instance_id: int,
    order: JobOrder,
    price: Pricing,
    key: str | None = None,
    reuse_for: float = 0.0,
) -> Receipt:
    """Charge each image's `price` in credits and write the job and its items.

    What the instance had made of the same uploads within the last `reuse_for` seconds is given
    again, for nothing. With an `Idempotency-Key` that was used before, return the first receipt
    instead. Raises `InsufficientCredits`, `QueueFull`, `UnknownUpload`, `IdempotencyKeyReused`,
    `IdempotencyKeyInUse` and `InstanceDisabled`; nothing is written then.
    """

    def place(orderer: Orderer) -> Receipt:
        return ordering.place_job(session, orderer, order, price, reuse_for=reuse_for)

    return ordering.once(session, instance_id, order, key, Receipt, place)


def claim_next(deadline: float, public: str = "") -> Turn | None:
    """Give the item whose turn it is to a new attempt; None when nothing can be had now.

    The instance served longest ago goes first, with its oldest due item. `deadline` is the time in
    seconds after which a prediction made by this attempt has certainly ended. `public` is where our
    own addresses are open to Replicate; without it, shops' uploads need copies.
    """
    turn = _claim(deadline, public)
    until = time.monotonic() + IN_LINE_SECONDS
    # Others are at work on every instance that has any, or on the one whose turn it is and goes on.
    while turn is None and turns.anything_due():
        if time.monotonic() > until:
            # Out of turn is better than not at all.
            return _claim(deadline, public, any_turn=True)
        turn = _stand_in_line(deadline, public)
    return turn


def _stand_in_line(deadline: float, public: str) -> Turn | None:
    """Claim from the instance whose turn it is, behind whoever has it locked; None when that took
    too long, or when its turn is over by then."""
    try:
        return _claim(deadline, public, wait=True)
    except OperationalError as error:
        if lock_timed_out(error):
            return None
        raise


@transaction
def _claim(
    session: Session, deadline: float, public: str, *, wait: bool = False, any_turn: bool = False
) -> Turn | None:
    front = turns.next_instance(session, wait)
    if front is None:
        return None
    item = turns.oldest_due(session, front, waited=wait, any_turn=any_turn)
    if item is None:
        log.error("due items miscounted", instance=front.id, counted=front.due_items)
        ledger.lock(session, front.id).due_items = 0
        return None
    if item.out_of_turn:
        return None
    turns.start_job(session, item.job_id)
    where = copies.addresses(session, item, public, deadline)
    hold = turns.hold(session, item, deadline, where.instead)
    turns.count_turn(session, front)
    return Turn.of(hold.attempt_id, hold.reference, item, where.sent, where.missing)


@each_alone
def note(session: Session, attempt_id: int, prediction_id: str, check_in: float) -> Noted:
    """Write down the prediction that an attempt created, to be looked at in `check_in` seconds.

    NOT: the attempt has ended in the meantime, or was given another attempt's prediction, and
    nobody waits for this one.
    """
    return (
        predictions.give(session, attempt_id, prediction_id, check_in)
        or predictions.give_to_twin(session, attempt_id, prediction_id, check_in)
        or predictions.keep_trace(session, attempt_id, prediction_id)
    )


@each_alone
def adopt(session: Session, attempt_id: int, prediction_id: str) -> bool:
    """Give a prediction that was found to an attempt whose create is in doubt.

    False: the attempt is not in doubt any more, or another one has this prediction.
    """
    return bool(predictions.give(session, attempt_id, prediction_id, check_in=0.0))


@transaction
def finish(session: Session, attempt_id: int, result_key: str, result_type: str) -> bool:
    """Record a stored result; False means that this attempt no longer holds the item."""
    result = {"status": Status.DONE, "result_key": result_key, "result_type": result_type}
    return moves.close(session, attempt_id, "succeeded", result)


@transaction
def fail(
    session: Session,
    attempt_id: int,
    code: str,
    refund: bool,
    states: States = NOT_ENDED,
) -> bool:
    """Record that an image failed for good, with or without its credits back; `code` is a key of
    `EXPLANATIONS`.

    False means that this attempt no longer holds the item, or is in none of `states`.
    """
    item = moves.item_of(session, attempt_id)
    return _fail(session, item, attempt_id, code, code, refund, states)


@transaction
def requeue(
    session: Session,
    attempt_id: int,
    outcome: str,
    *,
    backoff: float = 0.0,
    after: float = 0.0,
    attempts: int = MAX_ATTEMPTS,
    code: str = TOO_MANY_ATTEMPTS,
    refund: bool = False,
    states: States = NOT_ENDED,
) -> Requeued:
    """Let an item wait for another attempt.

    Without `backoff` (seconds) it costs no attempt and the item is due again `after` so many
    seconds. With it the item rests for a growing pause, and the last of `attempts` fails it with
    `code`. One that its shop wants canceled is canceled instead, with its credits back unless the
    `outcome` has cost any. Nothing moves unless the attempt is in one of `states`.
    """
    instance, job, item = moves.hold(session, attempt_id)
    if item.cancel_requested_at:
        ended = cancellation.end(session, instance, item, attempt_id, outcome, states)
        return Requeued(ended, None, canceled=ended)
    spent = item.failed_attempts + 1 if backoff else item.failed_attempts
    if backoff and spent >= attempts:
        failed = _fail(session, item, attempt_id, outcome, code, refund, states)
        return Requeued(failed, None)
    pause = backoff * BACKOFF_FACTOR ** (spent - 1) if backoff else after
    waiting = {
        "status": Status.PENDING,
        "failed_attempts": spent,
        "not_before": from_now(pause) if pause else None,
    }
    if not moves.leave(session, item.id, attempt_id, outcome, waiting, states):
        return Requeued(False, None)
    caps.let_go(session, instance)
    instance.due_items += 0 if pause else 1
    job.version += 1
    return Requeued(True, pause or 0.0)


@transaction
def make_due(session: Session, instance_id: int, limit: int = 500) -> int:
    """Make an instance's rested items due; return how many."""
    instance = ledger.lock(session, instance_id)
    rested = (
        select(Item.id)
        .where(Item.instance_id == instance_id, Item.not_before <= now())
        # By the index: ordered by ids, SQLite would look for them among all images.
        .order_by(Item.not_before)
        .limit(limit)
    )
    ids = session.scalars(rested).all()
    session.execute(update(Item).where(Item.id.in_(ids)).values(not_before=None))
    instance.due_items += len(ids)
    return len(ids)


@transaction
def expire(session: Session, instance_id: int, item_ids: Sequence[int]) -> int:
    """Fail those of an instance's items that still wait, refunded; return how many."""
    instance = ledger.lock(session, instance_id)
    own = select(Item).where(Item.instance_id == instance_id, Item.id.in_(item_ids))
    waiting = session.scalars(own.where(Item.status == Status.PENDING))
    return moves.withdraw(session, instance, waiting, _failure("expired"))


@transaction
def cancel_waiting(session: Session, instance_id: int, limit: int = 500) -> int:
    """Cancel the oldest items that an instance has waiting, refunded; return how many."""
    instance = ledger.lock(session, instance_id)
    waiting = turns.waiting_items(session, instance, limit)
    return moves.withdraw(session, instance, waiting, {"status": Status.CANCELED})


def _fail(
    session: Session,
    item: Item | Held,
    attempt_id: int,
    outcome: str,
    code: str,
    refund: bool,
    states: States,
) -> bool:
    instance = ledger.lock(session, item.instance_id) if refund else None
    failure = _failure(code) | {"refunded": refund}
    if not moves.close(session, attempt_id, outcome, failure, states):
        return False
    if instance:
        moves.refund(session, instance, item)
    return True


def _failure(code: str) -> dict[str, Any]:
    sentence = EXPLANATIONS[code].sentence
    return {"status": Status.FAILED, "error_code": code, "error": sentence}
