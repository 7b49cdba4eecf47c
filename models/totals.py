"""Sums over rows of which there are ever more, for those who ask every few seconds (`/metrics`).

What was added up stays so, in `totals`; only what came since is looked at: days of `daily_counts`
by how much of them is in it, entries of the ledger by their ids. The sweep adds up, page by page,
and who dies in between has added nothing. The sums are right at any time: where nobody sweeps, they
only cost more.
"""

from collections import Counter
from collections.abc import Iterator
from itertools import takewhile
from typing import Any

from sqlalchemy import Select, func, literal, select
from sqlalchemy.orm import Session

from models.analytics import COUNTED
from models.clock import from_now
from models.database import changed, insert_into, transaction
from models.tables import CreditEntry, DailyCount, EntryKind, Item, Total
from models.tables.analytics import UNSUMMED
from models.tables.work import UNCOUNTED

PAGE = 500
CHARGED = "credits_charged"
# An entry has its id before its transaction ends, and no transaction lasts that long: before one
# that is so old, none is missing.
SETTLED_SECONDS = 60.0


@transaction
def add_days(session: Session, limit: int = PAGE) -> int:
    """Add images that were counted since; return on how many days of instances, up to `limit`."""
    page = select(DailyCount).where(UNSUMMED).limit(limit)
    days = session.scalars(page.with_for_update(skip_locked=True)).all()
    more: Counter[str] = Counter()
    for day in days:
        for status, column in COUNTED.items():
            more[status] += getattr(day, column) - getattr(day, f"summed_{column}")
            setattr(day, f"summed_{column}", getattr(day, column))
    for name, images in sorted(more.items()):
        _add(session, name, images)
    return len(days)


@transaction
def add_charges(session: Session, limit: int = PAGE) -> int:
    """Add the credits that were charged since; return by how many entries, up to `limit`."""
    _charged, up_to = _charges(session)
    settled = (CreditEntry.created_at < from_now(-SETTLED_SECONDS)).label("settled")
    since = select(CreditEntry.id, CreditEntry.kind, CreditEntry.amount, settled)
    page = since.where(CreditEntry.id > up_to).order_by(CreditEntry.id).limit(limit)
    entries = list(takewhile(lambda entry: entry.settled, session.execute(page)))
    if not entries:
        return 0
    charged = -sum(entry.amount for entry in entries if entry.kind == EntryKind.CHARGE)
    # Nothing is added if somebody else has done so meanwhile.
    added = _add(session, CHARGED, charged, entries[-1].id, where=Total.up_to == up_to)
    return len(entries) if added else 0


def ended_images() -> Iterator[Select[str, int]]:
    """Questions whose answers together, status by status, are all images that ever ended."""
    yield select(Total.name, Total.value).where(Total.name.in_(COUNTED))
    for status, name in COUNTED.items():
        more = func.sum(getattr(DailyCount, name) - getattr(DailyCount, f"summed_{name}"))
        yield select(literal(status.value), func.coalesce(more, 0)).where(UNSUMMED)
    yield select(Item.status, func.count()).where(UNCOUNTED).group_by(Item.status)


def charged_credits(session: Session) -> int:
    """The credits that were ever charged."""
    charged, up_to = _charges(session)
    charges = select(func.coalesce(func.sum(-CreditEntry.amount), 0)).where(
        CreditEntry.kind == EntryKind.CHARGE, CreditEntry.id > up_to
    )
    return charged + int(session.scalar(charges) or 0)


def _charges(session: Session) -> tuple[int, int]:
    """The sum, and the id of the last entry in it."""
    total = session.get(Total, CHARGED)
    return (total.value, total.up_to) if total else (0, 0)


def _add(session: Session, name: str, more: int, up_to: int = 0, **condition: Any) -> bool:
    row = insert_into(session, Total).values(name=name, value=more, up_to=up_to)
    grown = {"value": Total.value + row.excluded.value, "up_to": row.excluded.up_to}
    statement = row.on_conflict_do_update(index_elements=[Total.name], set_=grown, **condition)
    return changed(session, statement)
