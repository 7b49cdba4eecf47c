"""What is older than RESULT_RETENTION goes: jobs first, then the uploads that only they named.

What deletes does one page of one instance, under that instance's lock: it keeps an order from
reusing a result, or from naming an upload, at the moment at which that goes.
"""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import ColumnElement, Text, and_, cast, delete, func, or_, select, update
from sqlalchemy.orm import Session

from models import analytics, deletion, ledger
from models.clock import from_now
from models.database import reading, transaction
from models.deletion import Deleted, over
from models.halving import first_since
from models.idempotency import KEPT_SECONDS
from models.tables import IdempotencyKey, Item, Job, Status, Upload
from models.uploads import GRACE_SECONDS, PATH, keys_of

# Ten images each, and up to five attempts at each of them.
JOBS = 20
UPLOADS = 100
FILES = 500
# An upload is marked as used in the transaction that writes the job, by another statement.
SLACK = timedelta(minutes=1)
# When an upload that a job names all the same is looked at again.
AGAIN_SECONDS = 3600.0


@reading
def next_instance(session: Session, seconds: float) -> int | None:
    """The instance whose job ended first, of those that are old; None when none is."""
    old = select(Job.instance_id).where(over(seconds)).order_by(Job.finished_at).limit(1)
    return session.scalar(old)


@transaction
def delete_old_jobs(
    session: Session, instance_id: int, seconds: float, limit: int = JOBS
) -> Deleted:
    """Delete up to `limit` of an instance's jobs that ended so long ago, and what names them.

    `seconds` must be a day at least: so every answer that names one of them has expired, because
    it is older than the end of its job.
    """
    instance = ledger.lock(session, instance_id)
    old = select(Job.id).where(Job.instance_id == instance_id, over(seconds))
    job_ids = session.scalars(old.order_by(Job.finished_at).limit(limit)).all()
    expired = delete(IdempotencyKey).where(IdempotencyKey.created_at < from_now(-KEPT_SECONDS))
    # Plus zero, to find them by their age: few are so old, and a shop may have a day of others.
    session.execute(expired.where(IdempotencyKey.instance_id + 0 == instance_id))
    last = select(func.max(Item.updated_at)).where(Item.job_id.in_(job_ids))
    if until := session.scalar(last):
        analytics.note_deleted(session, until)
    return deletion.delete_jobs(session, instance, job_ids)


@reading
def next_uploader(session: Session, seconds: float) -> int | None:
    """The instance of the upload whose last use is longest ago, if that is so many seconds."""
    old = select(Upload.instance_id).where(_unused_for(seconds))
    return session.scalar(old.order_by(Upload.last_used_at).limit(1))


@transaction
def expire_old_uploads(session: Session, instance_id: int, seconds: float) -> int:
    """Let those of a page of an instance's old uploads expire that no image names; return how many.

    What has expired is deleted by the sweep.
    """
    ledger.lock(session, instance_id)
    # Of all instances first, for which there is an index: the oldest is one of this one's.
    old = select(Upload.id).where(_unused_for(seconds)).order_by(Upload.last_used_at).limit(FILES)
    own = select(Upload).where(Upload.id.in_(old), Upload.instance_id == instance_id)
    page = session.scalars(own.order_by(Upload.last_used_at).limit(UPLOADS)).all()
    in_use = _named(session, instance_id, page)
    chosen = {True: [each.id for each in page if each.key in in_use]}
    chosen[False] = [each.id for each in page if each.key not in in_use]
    waiting, expired = (update(Upload).where(Upload.id.in_(chosen[used])) for used in (True, False))
    session.execute(waiting.values(last_used_at=from_now(AGAIN_SECONDS - seconds)))
    session.execute(expired.values(expires_at=from_now(-GRACE_SECONDS)))
    return len(chosen[False])


@reading
def count_old(session: Session, seconds: float) -> tuple[int, int, int]:
    """How many jobs are old, how many images they have, and how many uploads nothing has used."""
    old = select(func.count(), func.coalesce(func.sum(Job.total_images), 0)).where(over(seconds))
    jobs, images = session.execute(old).one()
    uploads = session.scalar(select(func.count()).where(_unused_for(seconds)))
    return jobs, int(images), uploads or 0


@reading
def old_files(session: Session, seconds: float, after: int) -> tuple[int | None, set[str]]:
    """A page, behind the image `after`, of the files that would go with old jobs, and where it ends
    (None after the last one). What an image of another job shows stays."""
    shown = func.coalesce(Item.stored_key, Item.result_key)
    done = select(Item.id, shown.label("key")).join(Job).where(Item.result_key.is_not(None))
    page = done.where(over(seconds), Item.id > after).order_by(Item.id).limit(FILES)
    rows = session.execute(page).all()
    keys = {row.key for row in rows}
    others = select(shown).join(Job).where(~over(seconds))
    kept = others.where(or_(Item.result_key.in_(keys), Item.stored_key.in_(keys)))
    return rows[-1].id if len(rows) == FILES else None, keys - set(session.scalars(kept))


def _unused_for(seconds: float) -> ColumnElement[bool]:
    return and_(Upload.expires_at.is_(None), Upload.last_used_at < from_now(-seconds))


def _named(session: Session, instance_id: int, uploads: Sequence[Upload]) -> set[str]:
    """The uploads that an image names. None that was ordered after the last use of all of them
    does: so only the instance's oldest jobs are read, by their ids."""
    last_uses = [upload.last_used_at for upload in uploads if upload.last_used_at]
    if not last_uses:
        return set()
    old = select(Item.image_url, Item.reference_urls).join(Job, Job.id == Item.job_id)
    named = or_(
        Item.image_url.startswith(PATH),
        cast(Item.reference_urls, Text).contains(f'"{PATH}'),
    )
    younger = first_since(session, Job, max(last_uses) + SLACK)
    # The index of an instance's jobs has their statuses before their ids.
    own = old.where(Job.instance_id == instance_id, Job.status.in_(tuple(Status)), Job.id < younger)
    urls = (url for row in session.execute(own.where(named)) for url in (row[0], *row[1]))
    return set(keys_of(urls))
