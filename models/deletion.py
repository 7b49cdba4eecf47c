"""Jobs that go for good, with everything that names them.

Rows go first. In their transaction the files that no row names any more are written down
(`UnwantedFile`), and only after it is the storage asked: whatever dies in between, no file is
forgotten, and nothing is shown whose file has gone. Files first would need a lock held while the
storage is asked, because an order may reuse a result until the very moment at which it goes.
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, and_, delete, exists, select, update
from sqlalchemy.orm import Session

from models.clock import from_now
from models.database import reading, transaction
from models.tables import (
    Attempt,
    Batch,
    Instance,
    Item,
    Job,
    UnwantedFile,
    WebhookDelivery,
)

# What an attempt that was overtaken may have stored in vain, under its own key.
EXTENSIONS = ("jpg", "png", "webp")

UNCOUNTED = exists().where(Item.job_id == Job.id, Item.counted.is_(False)).correlate(Job)
STRAY = (
    exists()
    .where(Item.job_id == Job.id, Attempt.item_id == Item.id, Attempt.cancel_at.is_not(None))
    .correlate(Job)
)


class Deleted(NamedTuple):
    """What one transaction deleted: how many jobs and images, and the files to be deleted next."""

    jobs: int
    images: int
    files: Sequence[str]


def over(seconds: float) -> ColumnElement[bool]:
    """The condition that a job ended so long ago and that nobody needs its rows any more.

    Its images have to stand in the analytics, and no prediction of it may be left to be canceled.
    """
    # Set once its status is final. To ask for that too would have SQLite look at all such jobs.
    ended = and_(Job.finished_at.is_not(None), Job.finished_at < from_now(-seconds))
    return and_(ended, ~UNCOUNTED, ~STRAY)


def delete_jobs(session: Session, instance: Instance, job_ids: Sequence[int]) -> Deleted:
    """Delete final jobs of a locked instance, and write down which files nobody wants any more."""
    items = session.execute(_items(session, job_ids)).all()
    item_ids = [item.id for item in items]
    files = {item.stored_key or item.result_key for item in items if item.result_key}
    files |= _stored_in_vain(session, item_ids)
    _let_go(session, job_ids, item_ids)
    _delete_rows(session, job_ids, item_ids)
    instance.deleted_charges += sum(item.credits for item in items)
    instance.deleted_refunds += sum(item.credits for item in items if item.refunded)
    unwanted = sorted(files - named(session, files))
    session.add_all(UnwantedFile(key=key) for key in unwanted)
    return Deleted(len(job_ids), len(items), unwanted)


def named(session: Session, keys: Iterable[str]) -> set[str]:
    """Those of the keys that an image shows: its own result's, or one that was made before."""
    some = list(keys)
    own = select(Item.result_key).where(Item.result_key.in_(some), Item.stored_key.is_(None))
    reused = select(Item.stored_key).where(Item.stored_key.in_(some))
    return {key for each in (own, reused) for key in session.scalars(each) if key}


@reading
def unwanted_files(session: Session, limit: int) -> Sequence[str]:
    """The files to be deleted, up to so many."""
    return session.scalars(select(UnwantedFile.key).order_by(UnwantedFile.key).limit(limit)).all()


@transaction
def forget_files(session: Session, keys: Sequence[str]) -> None:
    """These have been deleted."""
    session.execute(delete(UnwantedFile).where(UnwantedFile.key.in_(keys)))


def _items(session: Session, job_ids: Sequence[int]) -> Any:
    """Their columns, once their jobs are locked: locks go down from the job."""
    jobs = select(Job.id).where(Job.id.in_(job_ids)).order_by(Job.id)
    session.execute(jobs.with_for_update())
    columns = (Item.id, Item.result_key, Item.stored_key, Item.credits, Item.refunded)
    return select(*columns).where(Item.job_id.in_(job_ids))


def _stored_in_vain(session: Session, item_ids: Sequence[int]) -> set[str]:
    tried = select(Attempt.result_key).where(
        Attempt.item_id.in_(item_ids),
        Attempt.prediction_id.is_not(None),
        Attempt.outcome != "succeeded",
    )
    return {f"{stem}.{each}" for stem in session.scalars(tried) for each in EXTENSIONS}


def _let_go(session: Session, job_ids: Sequence[int], item_ids: Sequence[int]) -> None:
    """What was made from these stands by itself from now on; who looks at a retry is told."""
    reuses = update(Item).where(Item.reused_from.in_(item_ids))
    session.execute(reuses.values(reused_from=None))
    retries = update(Job).where(Job.retry_of.in_(job_ids))
    session.execute(retries.values(retry_of=None, version=Job.version + 1))


def _delete_rows(session: Session, job_ids: Sequence[int], item_ids: Sequence[int]) -> None:
    batches = select(Job.batch_id).where(Job.id.in_(job_ids), Job.batch_id.is_not(None)).distinct()
    batch_ids = session.scalars(batches).all()
    for table, column, ids in (
        (WebhookDelivery, WebhookDelivery.job_id, job_ids),
        (Attempt, Attempt.item_id, item_ids),
        (Item, Item.id, item_ids),
        (Job, Job.id, job_ids),
    ):
        session.execute(delete(table).where(column.in_(ids)))
    empty = delete(Batch).where(Batch.id.in_(batch_ids), ~exists().where(Job.batch_id == Batch.id))
    session.execute(empty)
