"""Answers that are kept for a repeated `Idempotency-Key`: their jobs are there."""

from collections.abc import Sequence

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from models.invariants.pages import SIZE, Finding, Page, Start, snapshot
from models.tables import IdempotencyKey, Job

FORGET = "Delete the key's row: a repetition would be told of a job that is not there."


@snapshot
def answers(session: Session, after: Start) -> Page:
    """Each tells of a job of the instance that asked."""
    begin = after if isinstance(after, tuple) else (after, "")
    whole = tuple_(IdempotencyKey.instance_id, IdempotencyKey.key)
    ordered = select(IdempotencyKey).where(whole > begin).order_by(*whole).limit(SIZE)
    keys = session.scalars(ordered).all()
    owners = _owners(session, keys)
    found = [_finding(each) for each in keys if owners.get(_job_id(each)) != each.instance_id]
    last = (keys[-1].instance_id, keys[-1].key) if len(keys) == SIZE else None
    return Page(last, len(keys), found)


def _finding(key: IdempotencyKey) -> Finding:
    where = f"idempotency key {key.key!r} of instance {key.instance_id}"
    found = f"job {_job_id(key)}"
    return Finding("answer_without_job", where, "a job of this instance", found, FORGET)


def _owners(session: Session, keys: Sequence[IdempotencyKey]) -> dict[int | None, int]:
    told = [_job_id(each) for each in keys]
    jobs = session.execute(select(Job.id, Job.instance_id).where(Job.id.in_(told)))
    return {row.id: row.instance_id for row in jobs}


def _job_id(key: IdempotencyKey) -> int | None:
    job_id = key.answer.get("job", {}).get("id")
    return job_id if isinstance(job_id, int) else None
