"""Results that are given again: the same upload, prompt and options of the same instance.

Only uploads are compared, by the hash of their files: what is behind another address may change
from one day to the next, and nobody looks there for this. The result of an image that was reused is
the stored file of the image that was made: a row more, under a name of its own.
"""

import hashlib
import json
import secrets
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import moves, uploads
from models.clock import from_now
from models.new_items import NewItem
from models.orders import ORDER_COLUMNS, ReceiptJob
from models.tables import REUSABLE, Item, Job, Status

PICTURES = ("image_url", "reference_urls")
# What a result depends on beside its pictures: the prompt and every option, also those to come.
OPTIONS = tuple(name for name in ORDER_COLUMNS if name not in {"image_id", *PICTURES})


class Made(NamedTuple):
    """A result that is there."""

    item_id: int
    result_key: str
    result_type: str


def mark(session: Session, instance_id: int, items: Sequence[NewItem]) -> None:
    """Give each item of uploads alone the hash by which its result can be found later."""
    keys = uploads.keys_of(url for item in items for url in _urls(item))
    digests = uploads.digests(session, instance_id, keys) if keys else {}
    for item in items if digests else ():
        item.reuse_hash = hash_of(item, digests)


def hash_of(item: NewItem, digests: Mapping[str, str]) -> str | None:
    """The hash of everything that an item's result depends on; None if not all of its pictures are
    uploads. `digests` are those of the uploads' files, by their keys."""
    pictures = [digests.get(uploads.key_of(url) or "") for url in _urls(item)]
    if None in pictures:
        return None
    facts = {name: getattr(item, name) for name in OPTIONS}
    return hashlib.sha256(json.dumps([pictures, facts], sort_keys=True).encode()).hexdigest()


def give(session: Session, instance_id: int, items: Sequence[NewItem], seconds: float) -> None:
    """Make those items, not written yet, DONE for free whose results were made so many seconds ago
    at most. The lock on the instance keeps the results from being deleted meanwhile."""
    hashes = {item.reuse_hash for item in items if item.reuse_hash}
    made = _made(session, instance_id, hashes, seconds) if hashes and seconds else {}
    for item in items:
        if found := made.get(item.reuse_hash or ""):
            _copy(item, found)


def settle(session: Session, job: ReceiptJob, items: Sequence[NewItem]) -> ReceiptJob:
    """Count those of a new job's items that are DONE already: here they become final, and here it
    is told to whoever wants to hear of that. Return the job as it is then."""
    if not any(item.stored_key for item in items):
        return job
    row = session.get_one(Job, job.id)
    done = select(Item).where(Item.job_id == job.id, Item.status == Status.DONE)
    moves.count(session, row, session.scalars(done.order_by(Item.position)).all(), Status.DONE)
    return ReceiptJob.of(row)


def _urls(item: NewItem) -> tuple[str, ...]:
    return (item.image_url, *item.reference_urls)


def _copy(item: NewItem, made: Made) -> None:
    extension = made.result_key.rpartition(".")[2]
    item.status, item.credits = Status.DONE, 0
    item.reused_from, item.stored_key = made.item_id, made.result_key
    item.result_key, item.result_type = f"{secrets.token_hex(16)}.{extension}", made.result_type


def _made(
    session: Session, instance_id: int, hashes: Iterable[str], seconds: float
) -> dict[str, Made]:
    """The newest result of each hash. One that was itself reused is none: it is as old as what it
    was reused from, and has no file of its own."""
    newest = (
        select(func.max(Item.id))
        .where(Item.instance_id == instance_id, Item.reuse_hash.in_(hashes), REUSABLE)
        .where(Item.updated_at > from_now(-seconds))
        .group_by(Item.reuse_hash)
    )
    columns = (Item.reuse_hash, Item.id, Item.result_key, Item.result_type)
    rows: Any = session.execute(select(*columns).where(Item.id.in_(newest)))
    return {row[0]: Made(*row[1:]) for row in rows}
