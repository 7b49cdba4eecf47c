"""The rows as the machines compare them, emptied between examples, and time that is shifted."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import String, Update, cast, delete, func, select, text, update

from models.clock import from_now
from models.database import Base, db
from models.tables import (
    Attempt,
    CreditEntry,
    EntryKind,
    IdempotencyKey,
    Instance,
    Item,
    Job,
    WebhookDelivery,
    WebhookEndpoint,
)

DAY = 24 * 3600.0
HOUR = 3600.0


def empty() -> None:
    """Delete every row; the next ids are 1 again."""
    tables = [table for table in Base.metadata.sorted_tables if table.name in TABLES]
    if db.engine.dialect.name == "postgresql":
        names = ", ".join(table.name for table in tables)
        db.session.execute(text(f"TRUNCATE {names} RESTART IDENTITY CASCADE"))
    else:
        for table in reversed(tables):
            db.session.execute(delete(table))
    db.session.commit()


TABLES = {
    each.__tablename__
    for each in (
        Instance, CreditEntry, Job, Item, Attempt, IdempotencyKey, WebhookEndpoint, WebhookDelivery,
    )
}  # fmt: skip


def told() -> list[tuple[str, str, int, int]]:
    """What shops are told: the shop's name, the event, the job, and the item or 0."""
    written = select(
        Instance.name,
        WebhookDelivery.event,
        WebhookDelivery.job_id,
        func.coalesce(WebhookDelivery.item_id, 0),
    ).join(Instance, Instance.id == WebhookDelivery.instance_id)
    found = sorted((name, event, job, item) for name, event, job, item in _read(written))
    db.session.rollback()
    return found


def tables() -> dict[str, Any]:
    """What `Reference.tables` should say."""
    found = {
        "shops": {row.id: tuple(row)[1:] for row in _read(SHOPS)},
        "entries": _entries(),
        "jobs": {row.id: tuple(row)[1:] for row in _read(JOBS)},
        "items": {item.id: _item_facts(item) for item in db.session.scalars(select(Item))},
        "attempts": {row.id: tuple(row)[1:] for row in _read(ATTEMPTS)},
    }
    db.session.rollback()
    return found


SHOPS = select(Instance.id, Instance.balance, Instance.due_items, Instance.disabled_at.is_not(None))
JOBS = select(
    Job.id,
    Job.instance_id,
    Job.status,
    Job.completed_images,
    Job.failed_images,
    Job.canceled_images,
    Job.started_at.is_not(None),
    Job.finished_at.is_not(None),
    Job.retry_of,
)
ATTEMPTS = select(
    Attempt.id,
    Attempt.item_id,
    Attempt.status,
    Attempt.outcome,
    Attempt.prediction_id,
    Attempt.checks,
    Attempt.cancel_at.is_not(None),
)


def versions() -> dict[int, int]:
    """The version of each job."""
    found = {row.id: row.version for row in _read(select(Job.id, Job.version))}
    db.session.rollback()
    return found


def shift(statement: Update) -> None:
    """Change rows behind the back of `models`, as if time had passed."""
    db.session.execute(statement)
    db.session.commit()


def run_out(attempt_id: int, *, overdue: bool, forgotten: bool) -> None:
    """An attempt's lease ran out; perhaps its deadline too, and Replicate's memory of it."""
    times = {"lease_until": from_now(-1)}
    if overdue:
        times["deadline_at"] = from_now(-1)
    if forgotten:
        times["created_at"] = from_now(-HOUR)
    shift(update(Attempt).where(Attempt.id == attempt_id).values(**times))


def end_pauses(item_ids: Iterable[int]) -> None:
    """The pauses of these items are over."""
    shift(update(Item).where(Item.id.in_(list(item_ids))).values(not_before=from_now(-1)))


def ask_again() -> None:
    """The minute is over in which Replicate had time to end what nobody wants."""
    shift(update(Attempt).where(Attempt.cancel_at.is_not(None)).values(cancel_at=from_now(-1)))


def begin_month(instance_id: int) -> None:
    """An instance's last reset was in another month."""
    own = update(CreditEntry).where(
        CreditEntry.instance_id == instance_id, CreditEntry.kind == EntryKind.RESET
    )
    shift(own.values(reference="past:" + cast(CreditEntry.id, String)))
    shift(update(Instance).where(Instance.id == instance_id).values(reset_month="2001-01"))


def end_day() -> None:
    """The idempotency keys are older than a day."""
    shift(update(IdempotencyKey).values(created_at=from_now(-DAY - 1)))


def _read(statement: Any) -> Iterable[Any]:
    return db.session.execute(statement).all()


def _entries() -> dict[int, list[tuple[EntryKind, int, str]]]:
    """Each shop's entries in order; a sum that goes wrong on the way is found here."""
    entries: dict[int, list[tuple[EntryKind, int, str]]] = {row.id: [] for row in _read(SHOPS)}
    sums = dict.fromkeys(entries, 0)
    for entry in db.session.scalars(select(CreditEntry).order_by(CreditEntry.id)):
        sums[entry.instance_id] += entry.amount
        assert entry.balance_after == sums[entry.instance_id]
        # The month of a reset is the database's: the reference is unique all the same.
        reference = "" if entry.kind == EntryKind.RESET else entry.reference
        entries[entry.instance_id].append((entry.kind, entry.amount, reference))
    return entries


def _item_facts(item: Item) -> tuple[Any, ...]:
    facts = (item.failed_attempts, item.refunded, item.credits_charged)
    ends = (item.error_code, item.result_key)
    wishes = (item.not_before is not None, item.attempt_id, item.cancel_requested_at is not None)
    return (item.job_id, item.status, *wishes, *facts, *ends)
