"""Images counted by the day (UTC) on which they became final: each of them once.

No move counts its image: that would have all moves of a shop wait for one row. What is final and
not counted yet stands in an index of its own; a page of it is counted in one transaction that also
marks it as counted. Two who count at once take different images, and who dies in between has
counted none.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import exists, func, select, update
from sqlalchemy.orm import Session

from models.database import insert_into, reading, transaction
from models.durations import bucket_of
from models.tables import (
    DailyCount,
    DailyDuration,
    DailyError,
    Heartbeat,
    Item,
    MonthlyPrompt,
    Status,
)
from models.tables.work import UNCOUNTED

PAGE = 500
# What a request counts at the most before it answers, in pages.
PAGES = 4
# The heartbeat that says up to which day images were deleted: what was counted of them stays.
DELETED = "images-deleted"
COUNTED = {Status.DONE: "done", Status.FAILED: "failed", Status.CANCELED: "canceled"}

Tally = Counter[tuple[Any, ...]]


class News(NamedTuple):
    """A final image that is not counted yet."""

    id: int
    status: Status
    credits: int
    refunded: bool
    error_code: str | None
    prompt: str
    stored_key: str | None
    created_at: datetime
    updated_at: datetime

    @property
    def day(self) -> date:
        """The day of its final move."""
        return self.updated_at.date()

    @property
    def made(self) -> bool:
        """A result was made for it, and not taken from another image."""
        return self.status == Status.DONE and self.stored_key is None

    @property
    def bucket(self) -> int:
        """The class of the time from its order to its result."""
        return bucket_of((self.updated_at - self.created_at).total_seconds())


COLUMNS = (
    Item.id, Item.status, Item.credits, Item.refunded, Item.error_code, Item.prompt,
    Item.stored_key, Item.created_at, Item.updated_at,
)  # fmt: skip


def catch_up(instance_id: int, pages: int = PAGES) -> None:
    """Count what an instance has to be counted, up to so many pages; mostly there is nothing to
    write."""
    for _ in range(pages):
        if not _anything(instance_id) or not count_page(instance_id):
            return


@reading
def _anything(session: Session, instance_id: int) -> bool:
    uncounted = select(Item.id).where(Item.instance_id == instance_id, UNCOUNTED)
    return bool(session.scalar(select(exists(uncounted))))


@reading
def instances_with_news(session: Session, limit: int) -> Sequence[int]:
    """The first `limit` instances that have images to be counted.

    It goes from one instance to the next by the index, however many images each of them has.
    """
    first = select(func.min(Item.instance_id).label("id")).where(UNCOUNTED)
    found = first.cte("found", recursive=True)
    following = select(func.min(Item.instance_id)).where(UNCOUNTED, Item.instance_id > found.c.id)
    found = found.union_all(select(following.scalar_subquery()).where(found.c.id.is_not(None)))
    return session.scalars(select(found.c.id).where(found.c.id.is_not(None)).limit(limit)).all()


@transaction
def count_page(session: Session, instance_id: int, limit: int = PAGE) -> int:
    """Count up to `limit` images of an instance; return how many.

    Images that somebody else is about to count are passed over.
    """
    uncounted = select(*COLUMNS).where(Item.instance_id == instance_id, UNCOUNTED)
    page = uncounted.order_by(Item.id).limit(limit)
    rows = session.execute(page.with_for_update(skip_locked=True, key_share=True))
    news = [News._make(row) for row in rows]
    if not news:
        return 0
    counted = update(Item).where(Item.id.in_([each.id for each in news])).values(counted=True)
    session.execute(counted, execution_options={"synchronize_session": False})
    _add_counts(session, instance_id, news)
    _add(session, DailyDuration, instance_id, _durations(news))
    _add(session, DailyError, instance_id, _errors(news))
    _add_prompts(session, instance_id, news)
    return len(news)


def note_deleted(session: Session, until: datetime) -> None:
    """Say, in the transaction that deletes images, that none of them became final after `until`.

    Only counted ones may be deleted. Of days after the latest such moment every image is still
    there, and counting them anew must give what was counted (`models.invariants`).
    """
    insert = insert_into(session, Heartbeat).values(name=DELETED, at=until)
    later = {"at": until}
    session.execute(
        insert.on_conflict_do_update(
            index_elements=[Heartbeat.name], set_=later, where=Heartbeat.at < until
        )
    )


def _durations(news: Iterable[News]) -> Tally:
    return Counter((each.day, each.bucket) for each in news if each.made)


def _errors(news: Iterable[News]) -> Tally:
    return Counter((each.day, each.error_code) for each in news if each.error_code)


def _add_counts(session: Session, instance_id: int, news: Iterable[News]) -> None:
    days: dict[date, Counter[str]] = {}
    for each in news:
        facts = days.setdefault(each.day, Counter())
        facts[COUNTED[each.status]] += 1
        facts["reused"] += each.stored_key is not None
        facts["credits"] += 0 if each.refunded else each.credits
    names = (*COUNTED.values(), "reused", "credits")
    rows = [{"day": day} | {name: facts[name] for name in names} for day, facts in days.items()]
    _upsert(session, DailyCount, instance_id, rows, names)


def _add_prompts(session: Session, instance_id: int, news: Iterable[News]) -> None:
    tally = Counter((each.day.replace(day=1), each.prompt) for each in news)
    rows = [
        {"month": month, "prompt_hash": hash_of(prompt), "prompt": prompt, "images": images}
        for (month, prompt), images in tally.items()
    ]
    _upsert(session, MonthlyPrompt, instance_id, rows, ["images"])


def hash_of(prompt: str) -> str:
    """A prompt's key: it may be longer than what an index takes."""
    return hashlib.sha256(prompt.encode()).hexdigest()


def _add(session: Session, table: Any, instance_id: int, tally: Tally) -> None:
    """Add numbers of images by what they are counted by: the table's key behind the instance."""
    names = [column.name for column in table.__table__.primary_key][1:]
    rows = [dict(zip(names, key, strict=True), images=images) for key, images in tally.items()]
    _upsert(session, table, instance_id, rows, ["images"])


def _upsert(
    session: Session,
    table: Any,
    instance_id: int,
    rows: Iterable[Mapping[str, Any]],
    numbers: Sequence[str],
) -> None:
    """Add to the rows that are there and write the others, in the order of their keys: who counts
    at the same time locks them in that order too."""
    keys = [column.name for column in table.__table__.primary_key]
    whole = [{"instance_id": instance_id, **row} for row in rows]
    if not whole:
        return
    added = insert_into(session, table.__table__)
    sums = {name: table.__table__.c[name] + added.excluded[name] for name in numbers}
    statement = added.on_conflict_do_update(index_elements=keys, set_=sums)
    session.execute(statement, sorted(whole, key=lambda row: [row[name] for name in keys]))
