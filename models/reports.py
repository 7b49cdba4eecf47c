"""What the API and the command line read: jobs, items, results, and the state of the work."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    Connection,
    Select,
    String,
    bindparam,
    column,
    func,
    inspect,
    literal,
    select,
    table,
    union_all,
)
from sqlalchemy.orm import Session

from models import totals
from models.clock import age
from models.database import lookup, reading
from models.errors import NotFound
from models.job_rows import ITEM, JOB, RETRIED_BY, ItemRow, JobRow
from models.tables import ITEMS, JOBS, Instance, Item, Job, Status
from models.tables.instances import HELD, IN_LINE


@dataclass(frozen=True, slots=True)
class Result:
    """Where a finished image is in the storage, and its true content type."""

    key: str
    content_type: str


@lookup
def jobs(
    connection: Connection,
    instance_id: int,
    statuses: Sequence[Status] = tuple(Status),
    before: int | None = None,
    limit: int = 20,
) -> Sequence[JobRow]:
    """A page of an instance's jobs, newest first: those with an id below `before`."""
    facts = {"instance_id": instance_id, "limit": limit}
    below = {} if before is None else {"before": before}
    page = _page(tuple(statuses), below=bool(below))
    return [JobRow(*row) for row in connection.execute(page, facts | below)]


@lru_cache(maxsize=64)
def _page(statuses: tuple[Status, ...], *, below: bool) -> Select[Any]:
    """Each status is read from its own end of one index, so a page costs the same with any number
    of jobs. To put the statement together costs more than to run it."""
    newest = union_all(*(_own_ids(status, below) for status in statuses)).subquery()
    page = select(newest.c.id).order_by(newest.c.id.desc()).limit(bindparam("limit"))
    return select(*JOB).where(JOBS.c.id.in_(page)).order_by(JOBS.c.id.desc())


def _own_ids(status: Status, below: bool) -> Select[tuple[int]]:
    own = select(JOBS.c.id).where(
        JOBS.c.instance_id == bindparam("instance_id"), JOBS.c.status == status
    )
    if below:
        own = own.where(JOBS.c.id < bindparam("before"))
    newest = own.order_by(JOBS.c.id.desc()).limit(bindparam("limit")).subquery()
    return select(newest.c.id)


_OWN = (JOBS.c.id == bindparam("job_id"), JOBS.c.instance_id == bindparam("instance_id"))
_JOB = select(*JOB, RETRIED_BY).where(*_OWN)
_WITH_ITEMS = (
    select(*JOB, RETRIED_BY, *ITEM)
    .join_from(JOBS, ITEMS, ITEMS.c.job_id == JOBS.c.id)
    .where(*_OWN)
    .order_by(ITEMS.c.position)
)


@lookup
def job(connection: Connection, instance_id: int, job_id: int) -> JobRow:
    """One job of an instance; raises `NotFound` also when it is another's."""
    row = connection.execute(_JOB, {"job_id": job_id, "instance_id": instance_id}).first()
    if row is None:
        raise NotFound(f"There is no job {job_id}.")
    return JobRow._make(row)


@lookup
def job_with_items(
    connection: Connection, instance_id: int, job_id: int
) -> tuple[JobRow, Sequence[ItemRow]]:
    """A job and its items in one statement, so that its counters match them.

    Raises `NotFound` also when the job is another instance's.
    """
    facts = {"job_id": job_id, "instance_id": instance_id}
    rows = connection.execute(_WITH_ITEMS, facts).all()
    if not rows:
        raise NotFound(f"There is no job {job_id}.")
    width = len(JobRow._fields)
    return JobRow._make(rows[0][:width]), [ItemRow._make(row[width:]) for row in rows]


@reading
def anyones_job(session: Session, job_id: int) -> tuple[Job, str]:
    """A job of any instance, for operators, and the instance's name; raises `NotFound`."""
    owned = select(Job, Instance.name).join(Instance, Instance.id == Job.instance_id)
    row = session.execute(owned.where(Job.id == job_id)).one_or_none()
    if row is None:
        raise NotFound(f"There is no job {job_id}.")
    return row.Job, row.name


@reading
def newest_jobs(
    session: Session, statuses: Sequence[Status], limit: int, instance_id: int | None = None
) -> Sequence[tuple[Job, str]]:
    """The newest jobs with their instances' names, of all instances or of one, for operators."""
    owned = select(Job, Instance.name).join(Instance, Instance.id == Job.instance_id)
    page = owned.where(Job.id.in_(_newest_ids(instance_id, statuses, limit)))
    rows = session.execute(page.order_by(Job.id.desc()))
    return [(row.Job, row.name) for row in rows]


def _newest_ids(instance_id: int | None, statuses: Sequence[Status], limit: int) -> Select[int]:
    """Of one instance, or of all: there is an index for each."""
    chosen = select(Job.id).order_by(Job.id.desc()).limit(limit)
    if instance_id is not None:
        chosen = chosen.where(Job.instance_id == instance_id)
    each = (select(chosen.where(Job.status == status).subquery().c.id) for status in statuses)
    newest = union_all(*each).subquery()
    return select(newest.c.id).order_by(newest.c.id.desc()).limit(limit)


@reading
def items(session: Session, job_id: int) -> Sequence[Item]:
    """The items of a job in the order in which they were submitted."""
    return session.scalars(select(Item).where(Item.job_id == job_id).order_by(Item.position)).all()


@reading
def result(session: Session, key: str) -> Result:
    """What is stored of the result that has this key, perhaps under the name of an earlier one;
    raises `NotFound`."""
    stored = func.coalesce(Item.stored_key, Item.result_key)
    found = select(stored, Item.result_type).where(Item.result_key == key)
    row: Any = session.execute(found).first()
    if row is None:
        raise NotFound("There is no such result.")
    return Result(*row)


@reading
def revision(session: Session) -> str | None:
    """The migration that the database is at; None before the first."""
    if not inspect(session.connection()).has_table("alembic_version"):
        return None
    return session.scalar(
        select(column("version_num", String)).select_from(table("alembic_version"))
    )


@reading
def items_by_status(session: Session) -> dict[Status, int]:
    """How many items there are of each status, all instances together; of the final ones, how many
    there ever were, with those that were deleted.

    It is asked for every few seconds, so it looks at none of a million items that have ended or
    wait. One statement, so that one that moves meanwhile is counted once.
    """
    found: Counter[str] = Counter()
    for status, number in session.execute(union_all(*_numbers())):
        found[status] += int(number)
    return {status: found[status] for status in Status}


def _numbers() -> Iterator[Select[str, int]]:
    yield from totals.ended_images()
    running = select(literal(Status.RUNNING.value), func.count())
    yield running.where(Item.status == Status.RUNNING)
    # What is due is counted on the instances, of which each standing in the line has an index.
    due = select(literal(Status.PENDING.value), func.coalesce(func.sum(Instance.due_items), 0))
    yield from (due.where(standing) for standing in (IN_LINE, HELD))
    resting = select(literal(Status.PENDING.value), func.count())
    yield resting.where(Item.not_before.is_not(None))


@reading
def oldest_waiting_age(session: Session) -> float:
    """The seconds for which the oldest PENDING item has waited; 0 when none does."""
    oldest = select(age(Item.created_at)).where(Item.status == Status.PENDING)
    return session.scalar(oldest.order_by(Item.id).limit(1)) or 0.0
