"""Predictions that nobody waits for: to be canceled at Replicate until it confirms their end.

One appears when an attempt was given up before its create was: by a process that was frozen in
between, or because an item was withdrawn meanwhile.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from models import predictions
from models.clock import from_now, now
from models.database import each_alone, reading, transaction
from models.following import INPUT, Creation
from models.tables import FINAL, Attempt, AttemptStatus, Item

# How long Replicate has to confirm the end before it is asked again.
AGAIN_SECONDS = 60.0
# The outcomes after which a create may all the same have been accepted.
MAYBE_SENT = ("no_trace", "result_lost")


@dataclass(frozen=True, slots=True)
class GivenUp(Creation):
    """An attempt that ended without a prediction; `final` is its item."""

    final: bool


@transaction
def take_unwanted(session: Session, limit: int) -> list[tuple[int, str]]:
    """The attempts whose predictions are to be canceled now, each with its prediction; they come
    again in a while unless `confirm_end` is called."""
    due = select(Attempt.id, Attempt.prediction_id).where(Attempt.cancel_at <= now())
    found = session.execute(due.order_by(Attempt.cancel_at).limit(limit)).all()
    taken = update(Attempt).where(Attempt.id.in_([row.id for row in found]))
    session.execute(taken.values(cancel_at=from_now(AGAIN_SECONDS)))
    return [(row.id, row.prediction_id) for row in found]


@transaction
def confirm_end(session: Session, attempt_id: int, prediction_id: str) -> None:
    """Nothing is left to be canceled, if this is the prediction that the attempt remembers."""
    ended = update(Attempt).where(Attempt.id == attempt_id, Attempt.prediction_id == prediction_id)
    session.execute(ended.values(cancel_at=None))


@each_alone
def trace(session: Session, attempt_id: int, prediction_id: str) -> bool:
    """Write down that an ended attempt made this prediction, which nobody wants.

    False: another attempt has this prediction, or the attempt has one.
    """
    return predictions.leave_trace(session, attempt_id, prediction_id)


@reading
def moment(session: Session, seconds_ago: float) -> datetime:
    """The time so many seconds ago by the database's clock."""
    return session.scalars(select(from_now(-seconds_ago))).one()


@reading
def given_up(session: Session, since: datetime, limit: int) -> Sequence[GivenUp]:
    """The newest attempts that were given up although their create may have been accepted."""
    ended = (
        select(*INPUT, Item.status.in_(FINAL))
        .join(Item, Item.id == Attempt.item_id)
        .where(
            Attempt.created_at >= since,
            Attempt.status == AttemptStatus.ENDED,
            Attempt.outcome.in_(MAYBE_SENT),
            # For NULL SQLite would look at all attempts that never had one.
            func.coalesce(Attempt.prediction_id, "") == "",
        )
    )
    newest = ended.order_by(Attempt.created_at.desc()).limit(limit)
    return [GivenUp(*row) for row in session.execute(newest)]
