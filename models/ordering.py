"""What an accepted order changes, whether it is a shop's own or a retry of what failed."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from models import ledger, uploads
from models.orders import Receipt
from models.tables import EntryKind, Instance, Item, Job


def place(session: Session, instance: Instance, job: Job, items: Sequence[Item]) -> Receipt:
    """Write a new job of a locked instance with its items in this order, and charge their credits.

    Raises `InsufficientCredits` or `UnknownUpload`, which undo the whole transaction.
    """
    uploads.use(session, instance.id, items)
    ledger.book_reset(session, instance)
    session.add(job)
    session.flush()
    for position, item in enumerate(items):
        item.job_id, item.position = job.id, position
    session.add_all(items)
    instance.due_items += len(items)
    cost = sum(item.credits for item in items)
    ledger.book(session, instance, EntryKind.CHARGE, -cost, f"charge:job:{job.id}")
    return Receipt.of(job, cost, instance.balance)
