"""Answers that are kept for a repeated `Idempotency-Key`: their jobs and batches are there."""

from collections.abc import Sequence

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from models.database import snapshot
from models.invariants.pages import SIZE, Finding, Page, Start
from models.tables import Batch, IdempotencyKey, Job

FORGET = "Delete the key's row: a repetition would be told of something that is not there."

Subject = tuple[str, int | None]
"""What an answer tells of: `job` or `batch`, and its id."""


@snapshot
def answers(session: Session, after: Start) -> Page:
    """Each tells of a job, or of a batch, of the instance that asked."""
    begin = after if isinstance(after, tuple) else (after, "")
    whole = tuple_(IdempotencyKey.instance_id, IdempotencyKey.key)
    ordered = select(IdempotencyKey).where(whole > begin).order_by(*whole).limit(SIZE)
    keys = session.scalars(ordered).all()
    owners = _owners(session, keys)
    found = [_finding(each) for each in keys if owners.get(_subject(each)) != each.instance_id]
    last = (keys[-1].instance_id, keys[-1].key) if len(keys) == SIZE else None
    return Page(last, len(keys), found)


def _finding(key: IdempotencyKey) -> Finding:
    where = f"idempotency key {key.key!r} of instance {key.instance_id}"
    kind, number = _subject(key)
    expected = "a job or a batch of this instance"
    return Finding("answer_without_job", where, expected, f"{kind} {number}", FORGET)


def _owners(session: Session, keys: Sequence[IdempotencyKey]) -> dict[Subject, int]:
    told = [_subject(each) for each in keys]
    owners: dict[Subject, int] = {}
    for kind, table in (("job", Job), ("batch", Batch)):
        ids = [number for of, number in told if of == kind]
        rows = session.execute(select(table.id, table.instance_id).where(table.id.in_(ids)))
        owners |= {(kind, row.id): row.instance_id for row in rows}
    return owners


def _subject(key: IdempotencyKey) -> Subject:
    kind = "batch" if "batch" in key.answer else "job"
    number = key.answer.get(kind, {}).get("id")
    return kind, number if isinstance(number, int) else None
