"""The images of a new order before they are rows, and writing them: ten at once, and a thousand."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from operator import attrgetter

from sqlalchemy import bindparam, column, func, insert, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from models.tables import ITEMS, Status


@dataclass(slots=True)
class NewItem:
    """Each field is a column by the same name; the other columns begin as the table says.

    Nobody needs the ids of these, so they are no objects of the session: it would have to ask for
    each of them.
    """

    job_id: int
    instance_id: int
    position: int
    credits: int
    image_id: str
    image_url: str
    prompt: str
    aspect_ratio: str
    output_format: str
    model: str
    resolution: str | None
    quality: int | None
    reference_urls: Sequence[str]
    status: Status = Status.PENDING
    reuse_hash: str | None = None
    reused_from: int | None = None
    stored_key: str | None = None
    result_key: str | None = None
    result_type: str | None = None


COLUMNS = tuple(field.name for field in fields(NewItem))
_values = attrgetter(*COLUMNS)
_ROWS = func.jsonb_to_recordset(bindparam("rows", type_=JSONB))
_AS_ROWS = _ROWS.table_valued(*(column(name, ITEMS.c[name].type) for name in COLUMNS))
# PostgreSQL takes half as long for all rows in one value as for one after the other.
_WRITE_ALL = insert(ITEMS).from_select(COLUMNS, select(*_AS_ROWS.render_derived(with_types=True).c))
_WRITE = insert(ITEMS)


def write(session: Session, items: Sequence[NewItem]) -> None:
    """Write them all."""
    rows = [dict(zip(COLUMNS, _values(item), strict=True)) for item in items]
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        connection.execute(_WRITE_ALL, {"rows": rows})
    else:
        connection.execute(_WRITE, rows)
