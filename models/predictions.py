"""Which attempt has which prediction: each at most one, and none is anybody else's.

The parts of `lifecycle.note` and `lifecycle.adopt`. Attempts with the same input are
interchangeable, so the prediction that one of them made may be given to another.
"""

from typing import Any

from sqlalchemy import Text, Update, and_, bindparam, cast, exists, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, aliased

from models.clock import in_seconds, now
from models.database import Facts, changed
from models.orders import Noted
from models.tables import ATTEMPTS, IN_DOUBT, ITEMS, Attempt, AttemptStatus, Item, fixed

# What makes two predictions interchangeable. The result's quality is not the model's affair.
INPUT_FIELDS = ("model", "image_url", "prompt", "aspect_ratio", "output_format", "resolution")

_A = ATTEMPTS.c
_CREATED = (
    update(ATTEMPTS)
    .where(_A.id == bindparam("attempt"), _A.status == fixed(AttemptStatus.CREATING))
    .values(
        status=fixed(AttemptStatus.CREATED),
        prediction_id=bindparam("prediction"),
        next_check_at=in_seconds("check_in"),
    )
)
_UNWANTED = exists().where(ITEMS.c.id == _A.item_id, ITEMS.c.cancel_requested_at.is_not(None))
_HURRIED = (
    update(ATTEMPTS)
    .where(
        _A.id == bindparam("attempt"),
        _A.status == fixed(AttemptStatus.CREATED),
        _UNWANTED.correlate(ATTEMPTS),
    )
    .values(next_check_at=now())
)


def give(session: Session, attempt_id: int, prediction_id: str, check_in: float) -> Noted:
    """Give a prediction to an attempt that has none; NOT when one of the two is taken."""
    facts = {"attempt": attempt_id, "prediction": prediction_id, "check_in": check_in}
    if not _unless_taken(session, _CREATED, facts):
        return Noted.NOT
    return Noted.UNWANTED if _hurry(session, attempt_id) else Noted.WANTED


def _hurry(session: Session, attempt_id: int) -> bool:
    """Have a prediction asked about now when its image is wanted canceled; say whether it is.

    A statement of its own, so that it sees a wish for whose end the one before it has waited.
    """
    return changed(session, _HURRIED, {"attempt": attempt_id})


def give_to_twin(session: Session, attempt_id: int, prediction_id: str, check_in: float) -> Noted:
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
    return Noted.NOT if twin is None else give(session, twin, prediction_id, check_in)


def _alike(one: Any, other: Any) -> Any:
    """Equal, or both without a value."""
    return one.is_not_distinct_from(other)


def _text(column: Any) -> Any:
    """PostgreSQL cannot compare JSON, but both databases keep its text as it was written."""
    return cast(column, Text)


def keep_trace(session: Session, attempt_id: int, prediction_id: str) -> Noted:
    """WANTED when another attempt adopted this prediction; else the ended one remembers it, and
    that it is to be canceled."""
    if session.scalar(select(Attempt.id).where(Attempt.prediction_id == prediction_id)):
        return Noted.WANTED
    leave_trace(session, attempt_id, prediction_id)
    return Noted.NOT


def leave_trace(session: Session, attempt_id: int, prediction_id: str) -> bool:
    """Have an ended attempt remember a prediction that is to be canceled."""
    ended = update(Attempt).where(
        Attempt.id == attempt_id,
        Attempt.status == AttemptStatus.ENDED,
        Attempt.prediction_id.is_(None),
    )
    return _unless_taken(session, ended.values(prediction_id=prediction_id, cancel_at=now()))


def _unless_taken(session: Session, statement: Update, facts: Facts | None = None) -> bool:
    """Run an UPDATE that sets a prediction id; False when another attempt has that one.

    Whoever calls this is `each_alone`: of a transaction on PostgreSQL nothing would be left.
    """
    try:
        return changed(session, statement, facts)
    except IntegrityError:
        return False
