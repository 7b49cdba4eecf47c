"""`Idempotency-Key`: the first answer again, for a day, and never a second charge.

The key is written first, in the transaction that charges: a twin's insert waits for that
transaction in the database itself, and then finds its answer or, after a refusal, nothing.
"""

import hashlib
import json
from dataclasses import MISSING, asdict, fields
from typing import Any, TypeVar

from sqlalchemy import delete, func, select
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import Session

from models.batch_orders import BatchOrder, BatchReceipt
from models.clock import from_now
from models.database import changed, lock_timed_out, transaction
from models.errors import IdempotencyKeyInUse, IdempotencyKeyReused
from models.orders import ImageOrder, JobOrder, JobRetry, Receipt
from models.tables import IdempotencyKey

KEPT_SECONDS = 24 * 3600.0

Wish = JobOrder | BatchOrder | JobRetry
Answer = TypeVar("Answer", Receipt, BatchReceipt)

# These were hashed from the first version on, whatever their values.
ALWAYS = {"aspect_ratio", "output_format"}


def reserve(
    session: Session, instance_id: int, key: str, wish: Wish, answer: type[Answer]
) -> IdempotencyKey | Answer:
    """Return a new key's row for the answer to be put in, or the one it already has.

    Raises `IdempotencyKeyReused` for another wish, and `IdempotencyKeyInUse` when a twin is
    still being worked on after the database's `lock_timeout` (5 s).
    """
    request_hash = hash_of(wish)
    session.execute(
        delete(IdempotencyKey).where(
            IdempotencyKey.instance_id == instance_id,
            IdempotencyKey.key == key,
            IdempotencyKey.created_at < from_now(-KEPT_SECONDS),
        )
    )
    row = IdempotencyKey(instance_id=instance_id, key=key, request_hash=request_hash, answer={})
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:
        return answer.from_json(_replay(session, instance_id, key, request_hash))
    except OperationalError as error:
        if lock_timed_out(error):
            raise IdempotencyKeyInUse(
                "A request with this Idempotency-Key is still being worked on."
            ) from error
        raise
    return row


def _replay(session: Session, instance_id: int, key: str, request_hash: str) -> dict[str, Any]:
    first = session.scalars(
        select(IdempotencyKey).where(
            IdempotencyKey.instance_id == instance_id, IdempotencyKey.key == key
        )
    ).one()
    if first.request_hash != request_hash:
        raise IdempotencyKeyReused("This Idempotency-Key came before with another body.")
    return first.answer


def hash_of(wish: Wish) -> str:
    """The hash of what is wished for. Each kind of wish has fields that no other has.

    A field that was added later counts only where it is not as it would be without it: so a key
    that was kept before an upgrade still gives its answer after it, for as long as the service's
    first model stays the same.
    """
    return hashlib.sha256(json.dumps(_told(wish), sort_keys=True).encode()).hexdigest()


def _told(wish: Wish | ImageOrder) -> dict[str, Any]:
    told = {name: value for name, value in asdict(wish).items() if not _added(wish, name, value)}
    if isinstance(wish, JobOrder):
        told["images"] = [_told(image) for image in wish.images]
    if isinstance(wish, BatchOrder):
        told["jobs"] = [_told(job) for job in wish.jobs]
    return told


def _added(wish: Wish | ImageOrder, name: str, value: object) -> bool:
    """Whether a field says nothing, and was not there in the first version."""
    defaults = {field.name: field.default for field in fields(wish)}
    return name not in ALWAYS and defaults[name] is not MISSING and defaults[name] == value


@transaction
def forget_old(session: Session, limit: int = 1000) -> bool:
    """Delete the `limit` oldest of the keys that are past their day, with those of the same moment;
    False when there were none."""
    old = select(IdempotencyKey.created_at).where(
        IdempotencyKey.created_at < from_now(-KEPT_SECONDS)
    )
    page = old.order_by(IdempotencyKey.created_at).limit(limit).subquery()
    last = session.scalar(select(func.max(page.c.created_at)))
    return last is not None and changed(
        session, delete(IdempotencyKey).where(IdempotencyKey.created_at <= last)
    )
