"""What was counted by day, against the images that were counted and against itself."""

from collections import Counter
from collections.abc import Iterator
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import Date, case, func, select
from sqlalchemy.orm import Session

from models.analytics import COUNTED, DELETED
from models.database import snapshot
from models.invariants.pages import Finding, Page, Span, Start, span
from models.tables import (
    DailyCount,
    DailyDuration,
    DailyError,
    Heartbeat,
    Instance,
    Item,
    Job,
    MonthlyPrompt,
)

INSTANCES = 100

RECOUNT = "Set the row to what counting the images gives; then find out who wrote it."

Key = tuple[int, date]


class Tally(NamedTuple):
    """A day of an instance, in the order of the table's columns."""

    done: int = 0
    failed: int = 0
    canceled: int = 0
    reused: int = 0
    credits: int = 0

    def __str__(self) -> str:
        return ", ".join(f"{number} {name}" for name, number in self._asdict().items())

    def covers(self, other: "Tally") -> bool:
        """Nowhere less than the other."""
        return all(mine >= theirs for mine, theirs in zip(self, other, strict=True))


@snapshot
def daily_counts(session: Session, after: Start) -> Page:
    """Each day is what counting its counted images gives, or more where some were deleted since;
    its durations, failures and prompts are those of as many images."""
    page = span(session, Instance.id, after, INSTANCES)
    kept = Instance.erased_at.is_(None)
    chosen = session.scalars(select(Instance.id).where(page.holds(Instance.id), kept))
    instances = set(chosen)
    if not instances:
        return page.page([], INSTANCES)
    stored = _stored(session, page)
    found = [*_images(session, page, stored), *_parts(session, page, stored)]
    return page.page([each for owner, each in found if owner in instances], INSTANCES)


def _stored(session: Session, page: Span) -> dict[Key, Tally]:
    rows = session.scalars(select(DailyCount).where(page.holds(DailyCount.instance_id)))
    return {
        (row.instance_id, row.day): Tally(*(getattr(row, name) for name in Tally._fields))
        for row in rows
    }


def _images(
    session: Session, page: Span, stored: dict[Key, Tally]
) -> Iterator[tuple[int, Finding]]:
    counted = _counted(session, page)
    deleted = session.scalar(select(Heartbeat.at).where(Heartbeat.name == DELETED))
    for key in sorted(stored.keys() | counted.keys()):
        expected, found = counted.get(key, Tally()), stored.get(key, Tally())
        some_are_gone = deleted is not None and key[1] <= deleted.date()
        if found != expected and not (some_are_gone and found.covers(expected)):
            yield _finding("daily_counts", key, f"{expected}", f"{found}")


def _counted(session: Session, page: Span) -> dict[Key, Tally]:
    """By way of the jobs, which have an index by instance."""
    day = func.date(Item.updated_at, type_=Date()).label("day")
    paid = case((Item.refunded, 0), else_=Item.credits)
    reused = case((Item.stored_key.is_not(None), 1), else_=0)
    grouped = (
        select(Job.instance_id, day, Item.status, func.count(), func.sum(reused), func.sum(paid))
        .join(Item, Item.job_id == Job.id)
        .where(page.holds(Job.instance_id), Item.counted)
        .group_by(Job.instance_id, day, Item.status)
    )
    sums: dict[Key, Counter[str]] = {}
    for instance_id, on, status, images, reused_ones, credits in session.execute(grouped):
        facts = {COUNTED[status]: images, "reused": int(reused_ones), "credits": int(credits)}
        sums.setdefault((instance_id, on), Counter()).update(facts)
    return {key: Tally(**facts) for key, facts in sums.items()}


def _parts(session: Session, page: Span, stored: dict[Key, Tally]) -> Iterator[tuple[int, Finding]]:
    """These hold also of images that are long deleted."""
    made: Counter[Key] = Counter()
    failed: Counter[Key] = Counter()
    ordered: Counter[Key] = Counter()
    for (instance_id, day), tally in stored.items():
        made[instance_id, day] = tally.done - tally.reused
        failed[instance_id, day] = tally.failed
        ordered[instance_id, day.replace(day=1)] += tally.done + tally.failed + tally.canceled
    yield from _compare("daily_durations", made, _sums(session, page, DailyDuration, "day"))
    yield from _compare("daily_errors", failed, _sums(session, page, DailyError, "day"))
    yield from _compare("monthly_prompts", ordered, _sums(session, page, MonthlyPrompt, "month"))


def _sums(session: Session, page: Span, table: Any, time: str) -> Counter[Key]:
    key = (table.instance_id, getattr(table, time))
    summed = select(*key, func.sum(table.images)).where(page.holds(table.instance_id))
    rows = session.execute(summed.group_by(*key))
    return Counter({(instance_id, on): int(images) for instance_id, on, images in rows})


def _compare(
    kind: str, expected: Counter[Key], found: Counter[Key]
) -> Iterator[tuple[int, Finding]]:
    for key in sorted(expected.keys() | found.keys()):
        if expected[key] != found[key]:
            yield _finding(kind, key, f"{expected[key]} images", f"{found[key]}")


def _finding(kind: str, key: Key, expected: str, found: str) -> tuple[int, Finding]:
    instance_id, on = key
    where = f"instance {instance_id} on {on}"
    return instance_id, Finding(kind, where, expected, found, RECOUNT)
