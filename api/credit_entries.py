"""GET /api/credits/entries: every change of the balance, and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from api import current, cursors, usage_schemas
from api.etags import revalidate
from api.openapi import CACHING, IF_NONE_MATCH, Blueprint
from api.usage_schemas import EntriesQuery, EntryPageSchema
from models import statement
from models.tables import CreditEntry

blp = Blueprint(
    "credit-entries", "/api/credits/entries", "Every change of the balance.", private=True
)


@dataclass(frozen=True, slots=True)
class Page:
    """Some entries, and where those before them begin, if there are any."""

    entries: Sequence[CreditEntry]
    next_cursor: str | None


@blp.route("", parameters=[IF_NONE_MATCH])
@blp.arguments(EntriesQuery, location="query")
@blp.response(200, EntryPageSchema, example=usage_schemas.ENTRIES, headers=CACHING)
@blp.refuses(304)
def list_entries(query: dict[str, Any]) -> Page:
    """List the credit entries, newest first. They are only ever added."""
    page = _page(**query)
    revalidate(page.next_cursor, *(entry.id for entry in page.entries))
    return page


def _page(
    limit: int,
    cursor: str | None = None,
    since: date | None = None,
    until: date | None = None,
) -> Page:
    """One entry more than asked for is read: it tells whether there is a next page."""
    before = int(cursors.read("entries", cursor)) if cursor else None
    found = statement.page(current.instance(), limit + 1, before, since, until)
    shown, more = found[:limit], found[limit:]
    return Page(shown, cursors.write("entries", shown[-1].id) if more else None)
