"""Credits: an append-only ledger beside each balance, changed only together and under its lock."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.orm import Session

from config.plans import PLANS
from models import audit, totals
from models.clock import now
from models.database import reading, transaction
from models.errors import AlreadyExists, InsufficientCredits, NotFound
from models.tables import ENTRIES, INSTANCES, CreditEntry, EntryKind, Instance


@dataclass(frozen=True, slots=True)
class Account:
    """What an instance has: credits, and when its plan's allotment comes again (UTC)."""

    balance: int
    plan: str
    monthly_allotment: int
    resets_at: datetime


def lock(session: Session, instance_id: int) -> Instance:
    """Lock the instance's row and return it.

    The first lock of every transaction that changes credits or what is due. Raises `NotFound`.
    A new `Idempotency-Key` has its instance's key locked by the foreign key before: a lock that
    bore no such sharing would have two orders of one shop wait for each other.
    """
    statement = select(Instance).where(Instance.id == instance_id).with_for_update(key_share=True)
    instance = session.scalar(statement.execution_options(populate_existing=True))
    if instance is None:
        raise NotFound(f"There is no instance {instance_id}.")
    return instance


class Orderer(NamedTuple):
    """A locked instance that orders something, as it is before that."""

    id: int
    balance: int
    due_items: int
    max_waiting: int | None
    disabled_at: datetime | None
    reset_month: str
    time: datetime


_I = INSTANCES.c
_ORDERER = (
    select(_I.id, _I.balance, _I.due_items, _I.max_waiting, _I.disabled_at, _I.reset_month, now())
    .where(_I.id == bindparam("instance"))
    .with_for_update(key_share=True)
)
_TAKE = (
    update(INSTANCES)
    .where(_I.id == bindparam("instance"))
    .values(balance=bindparam("left"), due_items=_I.due_items + bindparam("due"))
)
_ENTRY = insert(ENTRIES).values(kind=EntryKind.CHARGE)


def lock_orderer(session: Session, instance_id: int) -> Orderer:
    """Lock the instance's row and return what an order has to know of it, after this month's reset.
    Raises `NotFound`."""
    found = _orderer(session, instance_id)
    if found.reset_month < _month(found.time):
        book_reset(session, lock(session, instance_id))
        session.flush()
        found = _orderer(session, instance_id)
    return found


def _orderer(session: Session, instance_id: int) -> Orderer:
    row = session.connection().execute(_ORDERER, {"instance": instance_id}).one_or_none()
    if row is None:
        raise NotFound(f"There is no instance {instance_id}.")
    return Orderer(*row)


def charge(session: Session, orderer: Orderer, cost: int, due: int, reference: str) -> int:
    """Book what an order costs, and count the images that it makes due; return the new balance.

    Raises `InsufficientCredits` rather than go below zero; see `book`.
    """
    left = orderer.balance - cost
    if left < 0:
        raise InsufficientCredits(cost=cost, balance=orderer.balance)
    connection = session.connection()
    connection.execute(_TAKE, {"instance": orderer.id, "left": left, "due": due})
    connection.execute(
        _ENTRY,
        {
            "instance_id": orderer.id,
            "amount": -cost,
            "balance_after": left,
            "reference": reference,
        },
    )
    return left


def book(
    session: Session, instance: Instance, kind: EntryKind, amount: int, reference: str
) -> CreditEntry:
    """Change a locked instance's balance by `amount` credits and write the entry that says why.

    Raises `InsufficientCredits` rather than go below zero. A reference that was booked before
    violates its UNIQUE constraint, which undoes the whole transaction.
    """
    if instance.balance + amount < 0:
        raise InsufficientCredits(cost=-amount, balance=instance.balance)
    instance.balance += amount
    entry = CreditEntry(
        instance_id=instance.id,
        kind=kind,
        amount=amount,
        balance_after=instance.balance,
        reference=reference,
    )
    session.add(entry)
    return entry


def book_reset(session: Session, instance: Instance) -> None:
    """Top a locked instance up to its plan's allotment, once in a calendar month (UTC).

    Months in which nobody asked are not summed, and what was granted never vanishes.
    """
    month = _month(_database_time(session))
    if instance.reset_month >= month:
        return
    instance.reset_month = month
    missing = max(0, PLANS[instance.plan].monthly_credits - instance.balance)
    book(session, instance, EntryKind.RESET, missing, f"reset:{instance.id}:{month}")


def account(instance_id: int) -> Account:
    """Return what the instance has, after this month's reset."""
    found = _account(instance_id)
    if found is None:
        reset_if_due(instance_id)
        found = _account(instance_id)
    if found is None:
        raise NotFound(f"There is no instance {instance_id}.")
    return found


@reading
def _account(session: Session, instance_id: int) -> Account | None:
    """None while this month's reset is missing: nearly always there is nothing to write."""
    instance = session.get(Instance, instance_id)
    time = _database_time(session)
    if instance is None or instance.reset_month < _month(time):
        return None
    plan = PLANS[instance.plan]
    return Account(instance.balance, plan.name, plan.monthly_credits, _next_month(time))


@transaction
def grant(
    session: Session, instance_id: int, amount: int, reference: str, by: str | None = None
) -> int:
    """Add credits by hand (take them, if negative) and return the new balance.

    `by` is the operator whom the audit shall name. Raises `AlreadyExists` when the reference was
    booked before.
    """
    instance = lock(session, instance_id)
    if session.scalar(select(CreditEntry.id).where(CreditEntry.reference == reference)):
        raise AlreadyExists(f"{reference} was booked before: nothing was changed.")
    book(session, instance, EntryKind.GRANT, amount, reference)
    audit.write(session, by, "credits grant", instance.name, amount=amount, reference=reference)
    return instance.balance


@transaction
def reset_if_due(session: Session, instance_id: int) -> None:
    """Book this month's reset of one instance, if it is missing."""
    book_reset(session, lock(session, instance_id))


@reading
def instances_to_reset(session: Session, limit: int) -> Sequence[int]:
    """The ids of up to `limit` active instances whose reset of this month is missing."""
    month = _month(_database_time(session))
    due = select(Instance.id).where(Instance.reset_month < month, Instance.disabled_at.is_(None))
    return session.scalars(due.order_by(Instance.id).limit(limit)).all()


@reading
def entries(session: Session, instance_id: int, limit: int) -> Sequence[CreditEntry]:
    """The newest entries of an instance, newest first."""
    own = select(CreditEntry).where(CreditEntry.instance_id == instance_id)
    return session.scalars(own.order_by(CreditEntry.id.desc()).limit(limit)).all()


@reading
def charged_credits(session: Session) -> int:
    """The credits that were ever charged, all instances together."""
    return totals.charged_credits(session)


def _database_time(session: Session) -> datetime:
    return session.scalars(select(now())).one()


def _month(moment: datetime) -> str:
    return f"{moment:%Y-%m}"


def _next_month(moment: datetime) -> datetime:
    year, month = (moment.year + moment.month // 12, moment.month % 12 + 1)
    return moment.replace(year=year, month=month, day=1, hour=0, minute=0, second=0, microsecond=0)
