"""Which attempt has which prediction: each at most one, and none is anybody else's.

The parts of `lifecycle.note` and `lifecycle.adopt`. Attempts with the same input are
interchangeable, so the prediction that one of them made may be given to another.
"""

from typing import Any

from sqlalchemy import Text, Update, and_, cast, exists, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, aliased

from models.clock import from_now, now
from models.database import changed
from models.tables import IN_DOUBT, Attempt, AttemptStatus, Item

# Nobody in this transaction has read the row, so no object of the session is to be changed.
UNREAD = {"synchronize_session": False}
# What makes two predictions interchangeable. The result's quality is not the model's affair.
INPUT_FIELDS = ("model", "image_url", "prompt", "aspect_ratio", "output_format", "resolution")


def give(session: Session, attempt_id: int, prediction_id: str, check_in: float) -> bool:
    """Give a prediction to an attempt that has none; False when one of the two is taken."""
    waiting = update(Attempt).where(Attempt.id == attempt_id, Attempt.status.in_(IN_DOUBT))
    created = waiting.values(
        status=AttemptStatus.CREATED,
        prediction_id=prediction_id,
        next_check_at=from_now(check_in),
    )
    return _unless_taken(session, created) and _hurry(session, attempt_id)


def _hurry(session: Session, attempt_id: int) -> bool:
    """Have a prediction asked about now when its image is wanted canceled.

    A statement of its own, so that it sees a wish for whose end the one before it has waited.
    """
    wanted = exists().where(Item.id == Attempt.item_id, Item.cancel_requested_at.is_not(None))
    created = update(Attempt).where(Attempt.id == attempt_id, wanted.correlate(Attempt))
    session.execute(created.values(next_check_at=now()), execution_options=UNREAD)
    return True


def give_to_twin(session: Session, attempt_id: int, prediction_id: str, check_in: float) -> bool:
    """Give a prediction that comes too late for its attempt to one in doubt with the same input.

    That one's own prediction may be what this attempt was given, or it has none yet.
    """
    late, mine, others = aliased(Attempt), aliased(Item), aliased(Item)
    same = [_alike(getattr(mine, name), getattr(others, name)) for name in INPUT_FIELDS]
    same.append(_alike(_text(mine.reference_urls), _text(others.reference_urls)))
    twins = (
        select(Attempt.id)
        .join(others, others.id == Attempt.item_id)
        .join(mine, and_(*same))
        .join(late, late.item_id == mine.id)
        .where(late.id == attempt_id, Attempt.id != attempt_id)
        .where(_alike(_text(Attempt.sent_urls), _text(late.sent_urls)))
        .where(Attempt.status.in_(IN_DOUBT), Attempt.lease_until < now())
    )
    twin = session.scalar(twins.order_by(Attempt.lease_until).limit(1))
    return twin is not None and give(session, twin, prediction_id, check_in)


def _alike(one: Any, other: Any) -> Any:
    """Equal, or both without a value."""
    return one.is_not_distinct_from(other)


def _text(column: Any) -> Any:
    """PostgreSQL cannot compare JSON, but both databases keep its text as it was written."""
    return cast(column, Text)


def keep_trace(session: Session, attempt_id: int, prediction_id: str) -> bool:
    """True when another attempt adopted this prediction; else the ended one remembers it, and that
    it is to be canceled."""
    if session.scalar(select(Attempt.id).where(Attempt.prediction_id == prediction_id)):
        return True
    leave_trace(session, attempt_id, prediction_id)
    return False


def leave_trace(session: Session, attempt_id: int, prediction_id: str) -> bool:
    """Have an ended attempt remember a prediction that is to be canceled."""
    ended = update(Attempt).where(
        Attempt.id == attempt_id,
        Attempt.status == AttemptStatus.ENDED,
        Attempt.prediction_id.is_(None),
    )
    return _unless_taken(session, ended.values(prediction_id=prediction_id, cancel_at=now()))


def _unless_taken(session: Session, statement: Update) -> bool:
    """Run an UPDATE that sets a prediction id; False when another attempt has that one."""
    try:
        with session.begin_nested():
            return changed(session, statement)
    except IntegrityError:
        return False
