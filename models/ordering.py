"""What an accepted order changes: one job, a batch of them, or a retry of what failed.

All of it is one transaction under the lock of the instance: there is one charge, and either every
row is written or none.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import insert
from sqlalchemy.orm import Session

from models import caps, idempotency, ledger, new_items, reuse, uploads
from models.batch_orders import BatchOrder, BatchReceipt
from models.errors import InstanceDisabled
from models.idempotency import Answer, Wish
from models.ledger import Orderer
from models.orders import JobOrder, Pricing, Receipt, ReceiptJob
from models.tables import JOBS, IdempotencyKey


def once(
    session: Session,
    instance_id: int,
    wish: Wish,
    key: str | None,
    answer: type[Answer],
    place: Callable[[Orderer], Answer],
) -> Answer:
    """Have `place` write what a shop wishes for; its instance is locked.

    With an `Idempotency-Key` that was used for this before, return the first answer instead.
    Raises `IdempotencyKeyReused`, `IdempotencyKeyInUse`, `InstanceDisabled` and what `place` does;
    nothing is written then.
    """
    reservation = idempotency.reserve(session, instance_id, key, wish, answer) if key else None
    if isinstance(reservation, answer):
        return reservation
    orderer = ledger.lock_orderer(session, instance_id)
    if orderer.disabled_at:
        # Since its token was looked up: what it submits now, nobody would cancel.
        raise InstanceDisabled("This instance is disabled.")
    receipt = place(orderer)
    if isinstance(reservation, IdempotencyKey):
        reservation.answer = receipt.to_json()
    return receipt


def place_job(
    session: Session,
    orderer: Orderer,
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
    rows = [order.to_job(orderer.id) | {"batch_id": None, "retry_of": retry_of}]
    placed = _write(session, orderer, rows, [order], price, reuse_for)
    (job,) = placed.jobs
    left = ledger.charge(session, orderer, placed.cost, placed.due, f"charge:job:{job.id}")
    return Receipt(job, placed.cost, left)


def place_batch(
    session: Session,
    orderer: Orderer,
    order: BatchOrder,
    price: Pricing,
    reuse_for: float = 0.0,
) -> BatchReceipt:
    """The same for all jobs of a batch, with one charge."""
    batch = order.to_batch(orderer.id)
    session.add(batch)
    session.flush()
    one_of_it = {"batch_id": batch.id, "retry_of": None}
    rows = [job.to_job(orderer.id) | one_of_it for job in order.jobs]
    placed = _write(session, orderer, rows, order.jobs, price, reuse_for)
    left = ledger.charge(session, orderer, placed.cost, placed.due, f"charge:batch:{batch.id}")
    return BatchReceipt.of(batch, placed.jobs, placed.cost, left)


class Placed(NamedTuple):
    """What was written: the jobs, what their items cost, and how many of these are due."""

    jobs: list[ReceiptJob]
    cost: int
    due: int


def _write(
    session: Session,
    orderer: Orderer,
    rows: Sequence[dict[str, Any]],
    orders: Sequence[JobOrder],
    price: Pricing,
    reuse_for: float,
) -> Placed:
    """Write jobs and their items, however many with one statement for each kind."""
    jobs = _write_jobs(session, rows)
    items = [
        order.to_items(orderer.id, job.id, price) for job, order in zip(jobs, orders, strict=True)
    ]
    every = [item for of_job in items for item in of_job]
    uploads.use(session, orderer.id, (url for order in orders for url in order.urls()))
    reuse.mark(session, orderer.id, every)
    willing = [n for n, order in enumerate(orders) if order.reuse]
    reuse.give(session, orderer.id, [item for n in willing for item in items[n]], reuse_for)
    due = sum(item.stored_key is None for item in every)
    caps.check_room(session, orderer, due)
    new_items.write(session, every)
    settled = [reuse.settle(session, job, of_job) for job, of_job in zip(jobs, items, strict=True)]
    return Placed(settled, sum(item.credits for item in every), due)


def _write_jobs(session: Session, rows: Sequence[dict[str, Any]]) -> list[ReceiptJob]:
    written = session.connection().execute(_WRITE_JOBS, rows)
    return [
        ReceiptJob.of_row(row, job_id, created_at)
        for row, (job_id, created_at) in zip(rows, written, strict=True)
    ]


_WRITE_JOBS = insert(JOBS).returning(JOBS.c.id, JOBS.c.created_at, sort_by_parameter_order=True)
