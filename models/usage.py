"""What an instance has used on which days: read from counts, never from images."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import ColumnElement, Select, func, select, union_all
from sqlalchemy.orm import Session

from models.clock import now
from models.database import reading
from models.durations import percentile
from models.explanations import EXPLANATIONS
from models.tables import DailyCount, DailyDuration, DailyError, MonthlyPrompt

FAVOURITES = 10
# A favourite of several months was one of so many in at least one of them.
CANDIDATES = 20


@dataclass(frozen=True, slots=True)
class Day:
    """The images that became final on a day, and the credits that they cost. `reused` are those
    of `done` for which an earlier result was taken."""

    date: date
    done: int = 0
    failed: int = 0
    canceled: int = 0
    reused: int = 0
    credits_spent: int = 0


@dataclass(frozen=True, slots=True)
class Totals:
    """The same of many days. `success_rate` is the share of DONE among DONE and FAILED."""

    images: int
    done: int
    failed: int
    canceled: int
    reused: int
    credits_spent: int
    success_rate: float | None


@dataclass(frozen=True, slots=True)
class Duration:
    """The seconds from an order to its result, of images that were made; None without any."""

    median_seconds: float | None
    p95_seconds: float | None


@dataclass(frozen=True, slots=True)
class Failure:
    """How many images failed for a reason."""

    error_code: str
    images: int
    sentence: str


@dataclass(frozen=True, slots=True)
class Favourite:
    """How many images had a prompt."""

    prompt: str
    images: int


@dataclass(frozen=True, slots=True)
class Usage:
    """All that is told of the days from `first` to `last`."""

    first: date
    last: date
    totals: Totals
    duration: Duration
    days: Sequence[Day]
    errors: Sequence[Failure]
    favourite_prompts: Sequence[Favourite]


@reading
def today(session: Session) -> date:
    """The database's day (UTC)."""
    return session.scalars(select(now())).one().date()


@reading
def usage(session: Session, instance_id: int, first: date, last: date) -> Usage:
    """What an instance used from the day `first` to the day `last`, both included.

    The favourite prompts are those of all months that these days touch.
    """
    days = list(_days(session, instance_id, first, last))
    return Usage(
        first,
        last,
        _totals(days),
        _duration(session, instance_id, first, last),
        days,
        _errors(session, instance_id, first, last),
        _favourites(session, instance_id, months(first, last)),
    )


@reading
def days(session: Session, instance_id: int, first: date, last: date) -> list[Day]:
    """The days alone."""
    return list(_days(session, instance_id, first, last))


def months(first: date, last: date) -> list[date]:
    """The first day of each month that the days from `first` to `last` touch."""
    count = (last.year - first.year) * 12 + last.month - first.month + 1
    numbers = (first.year * 12 + first.month - 1 + n for n in range(count))
    return [date(number // 12, number % 12 + 1, 1) for number in numbers]


def _days(session: Session, instance_id: int, first: date, last: date) -> Iterator[Day]:
    """Every day, also those on which there was nothing."""
    counted = select(DailyCount).where(*_of(DailyCount, instance_id, first, last))
    rows = {row.day: row for row in session.scalars(counted)}
    for day in (first + timedelta(n) for n in range((last - first).days + 1)):
        row = rows.get(day)
        yield (
            Day(day, row.done, row.failed, row.canceled, row.reused, row.credits)
            if row
            else Day(day)
        )


def _of(
    table: type[DailyCount | DailyDuration | DailyError], instance_id: int, first: date, last: date
) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return (table.instance_id == instance_id, table.day.between(first, last))


def _totals(days: Sequence[Day]) -> Totals:
    done, failed = sum(day.done for day in days), sum(day.failed for day in days)
    canceled = sum(day.canceled for day in days)
    return Totals(
        images=done + failed + canceled,
        done=done,
        failed=failed,
        canceled=canceled,
        reused=sum(day.reused for day in days),
        credits_spent=sum(day.credits_spent for day in days),
        success_rate=round(done / (done + failed), 4) if done + failed else None,
    )


def _duration(session: Session, instance_id: int, first: date, last: date) -> Duration:
    summed = select(DailyDuration.bucket, func.sum(DailyDuration.images).label("images"))
    classes = summed.where(*_of(DailyDuration, instance_id, first, last))
    rows = session.execute(classes.group_by(DailyDuration.bucket))
    images = {row.bucket: int(row.images) for row in rows}
    return Duration(percentile(images, 0.5), percentile(images, 0.95))


def _errors(session: Session, instance_id: int, first: date, last: date) -> list[Failure]:
    images = func.sum(DailyError.images)
    summed = select(DailyError.error_code, images.label("images"))
    mine = summed.where(*_of(DailyError, instance_id, first, last))
    ordered = mine.group_by(DailyError.error_code).order_by(images.desc(), DailyError.error_code)
    return [
        Failure(row.error_code, int(row.images), EXPLANATIONS[row.error_code].sentence)
        for row in session.execute(ordered)
    ]


def _favourites(session: Session, instance_id: int, months: Sequence[date]) -> list[Favourite]:
    """Each month's first ones are found by an index; a shop may have written thousands of others,
    which are not read. What is found is then counted in all of these months."""
    best = union_all(*(_best_of(instance_id, month) for month in months)).subquery()
    hashes = session.scalars(select(best.c.prompt_hash).distinct()).all()
    images = func.sum(MonthlyPrompt.images)
    summed = select(func.max(MonthlyPrompt.prompt).label("prompt"), images.label("images"))
    mine = summed.where(
        MonthlyPrompt.instance_id == instance_id,
        MonthlyPrompt.month.in_(months),
        MonthlyPrompt.prompt_hash.in_(hashes),
    )
    ordered = mine.group_by(MonthlyPrompt.prompt_hash).order_by(images.desc(), "prompt")
    rows = session.execute(ordered.limit(FAVOURITES)) if hashes else ()
    return [Favourite(row.prompt, int(row.images)) for row in rows]


def _best_of(instance_id: int, month: date) -> Select[tuple[str]]:
    mine = select(MonthlyPrompt.prompt_hash).where(
        MonthlyPrompt.instance_id == instance_id, MonthlyPrompt.month == month
    )
    best = mine.order_by(MonthlyPrompt.images.desc()).limit(CANDIDATES).subquery()
    return select(best.c.prompt_hash)
