"""Findings, and pages of rows to look for them in."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, and_, bindparam, func, select, true
from sqlalchemy.orm import Session

from models.database import reading
from models.tables import Attempt, Batch, CreditEntry, Instance, Item, Job, WebhookDelivery

SIZE = 1000


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong. `kind` is stable, `where` names the row, `to_do` is a sentence."""

    kind: str
    where: str
    expected: str
    found: str
    to_do: str

    def __str__(self) -> str:
        return (
            f"{self.kind}: {self.where}: expected {self.expected}, found {self.found}. {self.to_do}"
        )


# Where a page begins: behind an id, or behind a pair of an id and a text.
Start = int | tuple[int, str]


class Page(NamedTuple):
    """What one look found. `last` is where the next page begins; None after the last row."""

    last: Start | None
    rows: int
    findings: list[Finding]


Look = Callable[[Start], Page]


def follow(look: Look) -> Iterator[Page]:
    """Every page of a look, one after the other; no transaction is open in between."""
    after: Start | None = 0
    while after is not None:
        page = look(after)
        yield page
        after = page.last


class Span(NamedTuple):
    """The rows of one page, by id."""

    after: int
    last: int
    rows: int

    def holds(self, column: Any) -> ColumnElement[bool]:
        """The condition that a row is of this page."""
        return and_(column > self.after, column <= self.last)

    def page(self, findings: Sequence[Finding], size: int = SIZE) -> Page:
        """The page with what was found in it."""
        return Page(self.last if self.rows == size else None, self.rows, list(findings))


def span(
    session: Session,
    column: Any,
    after: Start,
    size: int = SIZE,
    *,
    where: ColumnElement[bool] | None = None,
) -> Span:
    """The next `size` rows by an id column, of those that a condition chooses."""
    assert isinstance(after, int)
    counted = _counted(column) if where is None else _count(column, where)
    last, rows = session.execute(counted, {"after": after, "size": size}).one()
    return Span(after, after if last is None else last, rows)


def _count(column: Any, where: ColumnElement[bool]) -> Select[int | None, int]:
    chosen = select(column.label("id")).where(column > bindparam("after"), where)
    ids = chosen.order_by(column).limit(bindparam("size")).subquery()
    return select(func.max(ids.c.id), func.count())


@cache
def _counted(column: Any) -> Select[int | None, int]:
    return _count(column, true())


@reading
def sizes(session: Session) -> dict[str, int]:
    """The largest id of each table: how far its pages go, known without counting rows."""
    tables = {
        "instances": Instance.id,
        "credit entries": CreditEntry.id,
        "jobs": Job.id,
        "batches": Batch.id,
        "images": Item.id,
        "attempts": Attempt.id,
        "webhook deliveries": WebhookDelivery.id,
    }
    return {name: session.scalar(select(func.max(id))) or 0 for name, id in tables.items()}
