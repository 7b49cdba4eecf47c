"""What an accepted order changes, whether it is a shop's own or a retry of what failed."""

from sqlalchemy.orm import Session

from models import caps, ledger, uploads
from models.orders import JobOrder, Pricing, Receipt
from models.tables import EntryKind, Instance


def place(
    session: Session,
    instance: Instance,
    order: JobOrder,
    price: Pricing,
    retry_of: int | None = None,
) -> Receipt:
    """Write a new job of a locked instance with its items, and charge each image's `price`.

    Raises `InsufficientCredits`, `QueueFull`, `UnknownUpload` and what `price` raises, which undoes
    the whole transaction.
    """
    caps.check_room(session, instance, len(order.images))
    uploads.use(session, instance.id, order.urls())
    ledger.book_reset(session, instance)
    job = order.to_job(instance.id)
    job.retry_of = retry_of
    session.add(job)
    session.flush()
    session.add_all(order.to_items(job, price))
    instance.due_items += len(order.images)
    cost = order.cost(price)
    ledger.book(session, instance, EntryKind.CHARGE, -cost, f"charge:job:{job.id}")
    return Receipt.of(job, cost, instance.balance)
