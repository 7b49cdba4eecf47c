"""One instance's rows, page by page, to be handed to its shop: no secrets, nothing of others."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, select, tuple_
from sqlalchemy.orm import Session

from models.database import reading, snapshot
from models.tables import (
    Attempt,
    Batch,
    CreditEntry,
    DailyCount,
    DailyDuration,
    DailyError,
    Instance,
    Item,
    Job,
    MonthlyPrompt,
    PromptPreset,
    Upload,
    WebhookDelivery,
    WebhookEndpoint,
)

SIZE = 500


@dataclass(frozen=True, slots=True)
class Part:
    """Some rows: what they are, in a sentence, and which columns nobody is handed."""

    table: Any
    what: str
    without: frozenset[str] = frozenset()


PARTS = {
    "instance": Part(
        Instance, "The shop's account, without its token.",
        frozenset({"token_hash", "turns_left", "last_served", "held_at"}),
    ),
    "batches": Part(Batch, "Jobs that were ordered together."),
    "jobs": Part(Job, "The orders: up to 10 images of one product each."),
    "items": Part(Item, "The images of the jobs: what was ordered, and what became of it."),
    "attempts": Part(
        Attempt, "The tries to have an image made at Replicate.",
        frozenset({"reference", "result_key", "lease_until", "sent_urls"}),
    ),
    "credit-entries": Part(CreditEntry, "Every change of the balance, which is their sum."),
    "uploads": Part(
        Upload, "The pictures that the shop uploaded.",
        frozenset({"provider_url", "provider_expires_at"}),
    ),
    "prompt-presets": Part(PromptPreset, "Prompts with options, put by under names."),
    "webhook-endpoints": Part(
        WebhookEndpoint, "The addresses that are told what happens, without their secrets.",
        frozenset({"secret", "previous_secret"}),
    ),
    "webhook-deliveries": Part(WebhookDelivery, "What was told to them in the last weeks."),
    "daily-counts": Part(
        DailyCount, "Images that became final, by day.",
        frozenset({"summed_done", "summed_failed", "summed_canceled", "unsummed"}),
    ),
    "daily-durations": Part(DailyDuration, "How long finished images took, by day and seconds."),
    "daily-errors": Part(DailyError, "Images that failed, by day and code."),
    "monthly-prompts": Part(MonthlyPrompt, "How often each prompt was used, by month."),
}  # fmt: skip


def rows(name: str, instance_id: int) -> Iterator[list[dict[str, Any]]]:
    """All rows of a part in pages, each read by a short transaction of its own."""
    after: Sequence[Any] | None = None
    while True:
        page = _page(PARTS[name], instance_id, after)
        if not page:
            return
        after = [page[-1][column.name] for column in _key(PARTS[name].table)]
        yield [_shown(row, PARTS[name].without) for row in page]


@reading
def count(session: Session, instance_id: int) -> int:
    """About how many rows there are: without attempts, which have no instance of their own."""
    own = (part.table for part in PARTS.values() if part.table is not Attempt)
    counts = (select(func.count()).where(_owner(table) == instance_id) for table in own)
    return sum(session.scalar(each) or 0 for each in counts)


@reading
def files(session: Session, instance_id: int, table: Any, after: int) -> list[tuple[int, str]]:
    """A page of the stored files of an instance's images, or of its uploads, behind an id: pairs
    of an id and a key. Images may share a file."""
    key = Upload.key if table is Upload else func.coalesce(Item.stored_key, Item.result_key)
    own = select(table.id, key).where(table.instance_id == instance_id, table.id > after)
    page = session.execute(own.where(key.is_not(None)).order_by(table.id).limit(SIZE))
    return [(id, name) for id, name in page]


@snapshot
def _page(
    session: Session, part: Part, instance_id: int, after: Sequence[Any] | None
) -> list[dict[str, Any]]:
    """Nobody waits for it, and a small instance's rows may lie far apart."""
    columns = _key(part.table)
    own = select(*part.table.__table__.columns).where(_owner(part.table) == instance_id)
    if part.table is Attempt:
        own = own.join(Item, Item.id == Attempt.item_id)
    if after is not None:
        # SQLite takes no row of a single value for a row.
        behind = tuple_(*columns) > tuple(after) if len(columns) > 1 else columns[0] > after[0]
        own = own.where(behind)
    return [dict(row) for row in session.execute(own.order_by(*columns).limit(SIZE)).mappings()]


def _key(table: Any) -> Sequence[Any]:
    return list(table.__table__.primary_key.columns)


def _owner(table: Any) -> Any:
    if table is Instance:
        return Instance.id
    return Item.instance_id if table is Attempt else table.instance_id


def _shown(row: dict[str, Any], without: frozenset[str]) -> dict[str, Any]:
    return {_camel(name): _plain(row[name]) for name in row if name not in without}


def _camel(name: str) -> str:
    head, *others = name.split("_")
    return head + "".join(each.capitalize() for each in others)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return value.isoformat() if isinstance(value, date) else value
