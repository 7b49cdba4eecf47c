"""Where the images that wait stand: their places in the line, and when their slots are expected."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

import structlog

from api import current
from models import controls, places
from models.job_rows import ItemRow, JobRow
from models.tables import FINAL, Status
from tasks.limiter import LimiterUnavailable
from tasks.schedule import Schedule

log = structlog.get_logger(__name__)

Row = TypeVar("Row", JobRow, ItemRow)


@dataclass(frozen=True, slots=True)
class Place:
    """`queue_position` images of its instance, this one included, are sent until it is; about when
    that will be, in Unix seconds, where that can be told."""

    queue_position: int
    expected: int | None

    @property
    def estimated_start_at(self) -> datetime | None:
        """The moment of its slot."""
        return None if self.expected is None else datetime.fromtimestamp(self.expected, UTC)


class Placed:
    """A row with its place beside its columns, for a schema to read."""

    def __init__(self, row: JobRow | ItemRow, place: Place) -> None:
        self._row = row
        self.queue_position = place.queue_position
        self.estimated_start_at = place.estimated_start_at

    def __getattr__(self, name: str) -> Any:
        return getattr(self._row, name)


@dataclass(frozen=True, slots=True)
class Line:
    """The places of items that wait, by their ids, and of their jobs: those of their first ones."""

    items: Mapping[int, Place]
    jobs: Mapping[int, Place]

    def still(self, items: Iterable[ItemRow]) -> "Line":
        """The line without what has left it since, by these items of one job as they are now."""
        there = [each for each in items if each.status == Status.PENDING and each.id in self.items]
        return _line((each.job_id, each.id, self.items[each.id]) for each in there)

    def with_job(self, job: JobRow) -> JobRow | Placed:
        """The job with its place, if it has one."""
        return _placed(job, self.jobs)

    def with_item(self, item: ItemRow) -> ItemRow | Placed:
        """The item with its place, if it has one."""
        return _placed(item, self.items)


def line_of(jobs: Iterable[JobRow]) -> Line:
    """The places of these jobs of the current instance; Redis is asked only if one has any.

    While Redis is away nobody knows when, but still after how many.
    """
    going_on = [job.id for job in jobs if job.status not in FINAL]
    waiting = places.waiting(current.instance(), going_on) if going_on else []
    found = zip(waiting, _places(waiting), strict=True)
    return _line((each.job_id, each.item_id, place) for each, place in found)


def facts(shown: Mapping[int, Place]) -> Iterator[object]:
    """What the tag of an answer that shows these has to change with; nothing where none waits."""
    for row_id, place in shown.items():
        yield row_id, place.queue_position, place.expected


def _line(places_in_turn: Iterable[tuple[int, int, Place]]) -> Line:
    items: dict[int, Place] = {}
    jobs: dict[int, Place] = {}
    for job_id, item_id, place in places_in_turn:
        items[item_id] = place
        jobs.setdefault(job_id, place)
    return Line(items, jobs)


def _places(waiting: Sequence[places.Waiting]) -> Iterator[Place]:
    schedule = _schedule() if waiting else None
    for each in waiting:
        slot = schedule.slot(each.position) if schedule and each.position else None
        yield Place(each.rank, None if slot is None or schedule is None else schedule.told(slot))


def _schedule() -> Schedule | None:
    """None while nobody knows: Redis is away, or an operator has paused the queue."""
    if controls.paused():
        return None
    try:
        return Schedule(current.parts().limiter.state())
    except LimiterUnavailable as error:
        log.warning("limiter not asked", error=str(error))
        return None


def _placed(row: Row, found: Mapping[int, Place]) -> Row | Placed:
    place = found.get(row.id)
    return Placed(row, place) if place else row
