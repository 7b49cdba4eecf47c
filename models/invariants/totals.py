"""What was added up against what it was added up from."""

from collections.abc import Iterator

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.analytics import COUNTED
from models.database import snapshot
from models.invariants.pages import Finding, Page, Start
from models.tables import CreditEntry, DailyCount, EntryKind, Total
from models.totals import CHARGED

ADD = "Only /metrics and `queue status` show it: set the row's value to what was expected."


@snapshot
def totals(session: Session, after: Start) -> Page:  # noqa: ARG001
    """Each is the sum of the days, or of the entries, that are said to be in it."""
    rows = {row.name: row for row in session.scalars(select(Total))}
    up_to = rows[CHARGED].up_to if CHARGED in rows else 0
    told = [
        (name, expected, rows[name].value if name in rows else 0)
        for name, expected in _expected(session, up_to)
    ]
    found = [
        Finding("total", f"total {name}", f"{expected}", f"{value}", ADD)
        for name, expected, value in told
        if value != expected
    ]
    return Page(None, 0, found)


def _expected(session: Session, up_to: int) -> Iterator[tuple[str, int]]:
    for status, name in COUNTED.items():
        summed = select(func.coalesce(func.sum(getattr(DailyCount, f"summed_{name}")), 0))
        yield status.value, int(session.scalars(summed).one())
    charges = select(func.coalesce(func.sum(-CreditEntry.amount), 0)).where(
        CreditEntry.kind == EntryKind.CHARGE, CreditEntry.id <= up_to
    )
    yield CHARGED, int(session.scalars(charges).one())
