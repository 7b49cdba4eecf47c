"""What an accepted order changes: one job, a batch of them, or a retry of what failed.

All of it is one transaction under the lock of the instance: there is one charge, and either every
row is written or none.
"""

from collections.abc import Callable, Sequence

from sqlalchemy.orm import Session

from models import caps, idempotency, ledger, reuse, uploads
from models.batch_orders import BatchOrder, BatchReceipt
from models.errors import InstanceDisabled
from models.idempotency import Answer, Wish
from models.orders import JobOrder, Pricing, Receipt
from models.tables import Batch, EntryKind, IdempotencyKey, Instance, Job


def once(
    session: Session,
    instance_id: int,
    wish: Wish,
    key: str | None,
    answer: type[Answer],
    place: Callable[[Instance], Answer],
) -> Answer:
    """Have `place` write what a shop wishes for; its instance is locked.

    With an `Idempotency-Key` that was used for this before, return the first answer instead.
    Raises `IdempotencyKeyReused`, `IdempotencyKeyInUse`, `InstanceDisabled` and what `place` does;
    nothing is written then.
    """
    reservation = idempotency.reserve(session, instance_id, key, wish, answer) if key else None
    if isinstance(reservation, answer):
        return reservation
    instance = ledger.lock(session, instance_id)
    if instance.disabled_at:
        # Since its token was looked up: what it submits now, nobody would cancel.
        raise InstanceDisabled("This instance is disabled.")
    receipt = place(instance)
    if isinstance(reservation, IdempotencyKey):
        reservation.answer = receipt.to_json()
    return receipt


def place_job(
    session: Session,
    instance: Instance,
    order: JobOrder,
    price: Pricing,
    retry_of: int | None = None,
    reuse_for: float = 0.0,
) -> Receipt:
    """Write a new job of a locked instance with its items, and charge each image's `price`.

    What was made within the last `reuse_for` seconds is not made again. Raises
    `InsufficientCredits`, `QueueFull`, `UnknownUpload` and what `price` raises, which undoes the
    whole transaction.
    """
    job = order.to_job(instance.id)
    job.retry_of = retry_of
    cost = _write(session, instance, [job], [order], price, reuse_for)
    ledger.book(session, instance, EntryKind.CHARGE, -cost, f"charge:job:{job.id}")
    return Receipt.of(job, cost, instance.balance)


def place_batch(
    session: Session,
    instance: Instance,
    order: BatchOrder,
    price: Pricing,
    reuse_for: float = 0.0,
) -> BatchReceipt:
    """The same for all jobs of a batch, with one charge."""
    batch = order.to_batch(instance.id)
    session.add(batch)
    session.flush()
    jobs = [_of_batch(batch, each.to_job(instance.id)) for each in order.jobs]
    cost = _write(session, instance, jobs, order.jobs, price, reuse_for)
    ledger.book(session, instance, EntryKind.CHARGE, -cost, f"charge:batch:{batch.id}")
    return BatchReceipt.of(batch, jobs, cost, instance.balance)


def _of_batch(batch: Batch, job: Job) -> Job:
    job.batch_id = batch.id
    return job


def _write(
    session: Session,
    instance: Instance,
    jobs: Sequence[Job],
    orders: Sequence[JobOrder],
    price: Pricing,
    reuse_for: float,
) -> int:
    """Write jobs and their items, a thousand rows in one statement; return what they cost."""
    ledger.book_reset(session, instance)
    session.add_all(jobs)
    session.flush()
    items = [order.to_items(job, price) for job, order in zip(jobs, orders, strict=True)]
    every = [item for of_job in items for item in of_job]
    uploads.use(session, instance.id, (url for order in orders for url in order.urls()))
    reuse.mark(session, instance.id, every)
    willing = [n for n, order in enumerate(orders) if order.reuse]
    reuse.give(session, instance.id, [item for n in willing for item in items[n]], reuse_for)
    waiting = sum(item.stored_key is None for item in every)
    caps.check_room(session, instance, waiting)
    session.add_all(every)
    session.flush()
    instance.due_items += waiting
    for job, of_job in zip(jobs, items, strict=True):
        reuse.settle(session, job, of_job)
    return sum(item.credits for item in every)
