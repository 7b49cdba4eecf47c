"""What the API and the command line read: jobs, items, results, and the state of the work."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, String, column, func, inspect, select, table, union_all
from sqlalchemy.orm import Session

from models.clock import age
from models.database import reading
from models.errors import NotFound
from models.tables import Instance, Item, Job, Status


@dataclass(frozen=True, slots=True)
class Result:
    """Where a finished image is in the storage, and its true content type."""

    key: str
    content_type: str


@reading
def jobs(
    session: Session,
    instance_id: int,
    statuses: Sequence[Status] = tuple(Status),
    before: int | None = None,
    limit: int = 20,
) -> Sequence[Job]:
    """A page of an instance's jobs, newest first: those with an id below `before`.

    Each status is read from its own end of one index, so a page costs the same with any number
    of jobs.
    """
    newest = union_all(
        *(_newest_ids(instance_id, status, before, limit) for status in statuses)
    ).subquery()
    page = select(newest.c.id).order_by(newest.c.id.desc()).limit(limit)
    return session.scalars(select(Job).where(Job.id.in_(page)).order_by(Job.id.desc())).all()


def _newest_ids(
    instance_id: int, status: Status, before: int | None, limit: int
) -> Select[tuple[int]]:
    own = select(Job.id).where(Job.instance_id == instance_id, Job.status == status)
    if before is not None:
        own = own.where(Job.id < before)
    newest = own.order_by(Job.id.desc()).limit(limit).subquery()
    return select(newest.c.id)


@reading
def job(session: Session, instance_id: int, job_id: int) -> Job:
    """One job of an instance; raises `NotFound` also when it is another's."""
    found = session.scalar(select(Job).where(Job.id == job_id, Job.instance_id == instance_id))
    if found is None:
        raise NotFound(f"There is no job {job_id}.")
    return found


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
    chosen = owned.where(Job.status.in_(statuses))
    if instance_id is not None:
        chosen = chosen.where(Job.instance_id == instance_id)
    rows = session.execute(chosen.order_by(Job.id.desc()).limit(limit))
    return [(row.Job, row.name) for row in rows]


@reading
def items(session: Session, job_id: int) -> Sequence[Item]:
    """The items of a job in the order in which they were submitted."""
    return session.scalars(select(Item).where(Item.job_id == job_id).order_by(Item.position)).all()


@reading
def job_with_items(session: Session, instance_id: int, job_id: int) -> tuple[Job, Sequence[Item]]:
    """A job and its items in one statement, so that its counters match them.

    Raises `NotFound` also when the job is another instance's.
    """
    statement = select(Job, Item).join(Item, Item.job_id == Job.id).order_by(Item.position)
    own = statement.where(Job.id == job_id, Job.instance_id == instance_id)
    rows = session.execute(own).all()
    if not rows:
        raise NotFound(f"There is no job {job_id}.")
    return rows[0][0], [item for _job, item in rows]


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
    """How many items there are of each status, all instances together."""
    counted = select(Item.status, func.count().label("number")).group_by(Item.status)
    found = {row.status: row.number for row in session.execute(counted)}
    return {status: found.get(status, 0) for status in Status}


@reading
def oldest_waiting_age(session: Session) -> float:
    """The seconds for which the oldest PENDING item has waited; 0 when none does."""
    oldest = select(age(Item.created_at)).where(Item.status == Status.PENDING)
    return session.scalar(oldest.order_by(Item.id).limit(1)) or 0.0
