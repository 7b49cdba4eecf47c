"""Rows of a moment, found by their ids: these grow with time, and no index on times is needed."""

from datetime import datetime

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from models.tables import CreditEntry, Job


def first_since(
    session: Session,
    table: type[CreditEntry | Job],
    moment: datetime,
    *of: ColumnElement[bool],
) -> int:
    """The id from which on the rows `of` a table were created at that moment or later.

    It is found by halving, in some 30 looks into the index that leads to these rows by their ids,
    however many there are.
    """
    rows = select(table.id, table.created_at).where(*of)
    low, high = 0, (session.scalar(select(func.max(table.id)).where(*of)) or 0) + 1
    while low < high:
        middle = (low + high) // 2
        row = session.execute(rows.where(table.id >= middle).order_by(table.id).limit(1)).first()
        if row is None or row.created_at >= moment:
            high = middle
        else:
            low = row.id + 1
    return high
