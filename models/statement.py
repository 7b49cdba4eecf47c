"""An instance's credit entries, page by page."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.database import reading
from models.halving import first_since
from models.tables import CreditEntry


@reading
def page(
    session: Session,
    instance_id: int,
    limit: int,
    before: int | None = None,
    first: date | None = None,
    last: date | None = None,
) -> Sequence[CreditEntry]:
    """Entries, newest first: those with an id below `before`, of the days from `first` to `last`
    (UTC, both included)."""
    own = select(CreditEntry).where(CreditEntry.instance_id == instance_id)
    if before is not None:
        own = own.where(CreditEntry.id < before)
    if first is not None:
        own = own.where(CreditEntry.id >= _first_since(session, instance_id, first))
    if last is not None and last < date.max:
        end = _first_since(session, instance_id, last + timedelta(days=1))
        own = own.where(CreditEntry.id < end)
    return session.scalars(own.order_by(CreditEntry.id.desc()).limit(limit)).all()


def _first_since(session: Session, instance_id: int, day: date) -> int:
    """The id from which on an instance's entries are of that day or later: they are written one
    after the other under its lock, so their times grow with their ids."""
    begin = datetime.combine(day, time.min, UTC)
    return first_since(session, CreditEntry, begin, CreditEntry.instance_id == instance_id)
