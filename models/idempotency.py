"""`Idempotency-Key`: the first answer again, for a day, and never a second charge.

The key is written first, in the transaction that charges: a twin's insert waits for that
transaction in the database itself, and then finds its answer or, after a refusal, nothing.
"""

import hashlib
import json
from dataclasses import asdict

from sqlalchemy import delete, select, tuple_
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import Session

from models.clock import from_now
from models.database import changed, lock_timed_out, transaction
from models.errors import IdempotencyKeyInUse, IdempotencyKeyReused
from models.orders import JobOrder, JobRetry, Receipt
from models.tables import IdempotencyKey

KEPT_SECONDS = 24 * 3600.0


def reserve(
    session: Session, instance_id: int, key: str, order: JobOrder | JobRetry
) -> IdempotencyKey | Receipt:
    """Return a new key's row for the answer to be put in, or the receipt it already has.

    Raises `IdempotencyKeyReused` for another order, and `IdempotencyKeyInUse` when a twin is
    still being worked on after the database's `lock_timeout` (5 s).
    """
    request_hash = _hash(order)
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
        return _replay(session, instance_id, key, request_hash)
    except OperationalError as error:
        if lock_timed_out(error):
            raise IdempotencyKeyInUse(
                "A request with this Idempotency-Key is still being worked on."
            ) from error
        raise
    return row


def _replay(session: Session, instance_id: int, key: str, request_hash: str) -> Receipt:
    first = session.scalars(
        select(IdempotencyKey).where(
            IdempotencyKey.instance_id == instance_id, IdempotencyKey.key == key
        )
    ).one()
    if first.request_hash != request_hash:
        raise IdempotencyKeyReused("This Idempotency-Key came before with another body.")
    return Receipt.from_json(first.answer)


def _hash(order: JobOrder | JobRetry) -> str:
    return hashlib.sha256(json.dumps(asdict(order), sort_keys=True).encode()).hexdigest()


@transaction
def forget_old(session: Session, limit: int = 1000) -> bool:
    """Delete up to `limit` keys that are past their day; False when there were none."""
    old = (
        select(IdempotencyKey.instance_id, IdempotencyKey.key)
        .where(IdempotencyKey.created_at < from_now(-KEPT_SECONDS))
        .limit(limit)
    )
    whole = tuple_(IdempotencyKey.instance_id, IdempotencyKey.key)
    return changed(session, delete(IdempotencyKey).where(whole.in_(old)))
