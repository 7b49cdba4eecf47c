"""The ledger against images that are no longer there.

Entries stay when retention deletes what they were booked for, so a single one of them cannot be
compared with anything. Together they can: an instance remembers the credits that were charged and
given back for its deleted images, and whatever was booked beside these and the images that are
there was booked for nothing.
"""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import case, func, or_, select
from sqlalchemy.orm import Session

from models.invariants.pages import Finding, Span
from models.tables import CreditEntry, EntryKind, Instance, Item

BOOK = "An entry names a job that never was: compare its ledger with a backup, book the difference."
HAS_DELETED = or_(Instance.deleted_charges != 0, Instance.deleted_refunds != 0)


def with_deleted_jobs(session: Session) -> set[int]:
    """The instances of which jobs that cost something were deleted."""
    return set(session.scalars(select(Instance.id).where(HAS_DELETED)))


def charged_and_refunded(session: Session, instances: Span) -> Iterator[Finding]:
    """What is wrong with the sums of these instances, where jobs of them were deleted."""
    some = select(Instance).where(instances.holds(Instance.id), HAS_DELETED)
    for instance in session.scalars(some.order_by(Instance.id)).all():
        charged, refunded = _booked(session, instance.id)
        cost, given_back = _worth(session, instance.id)
        where = f"instance {instance.id} {instance.name!r}"
        for kind, expected, found in (
            ("charges", cost + instance.deleted_charges, charged),
            ("refunds", given_back + instance.deleted_refunds, refunded),
        ):
            if expected != found:
                told = f"{expected} credits for its images and those deleted"
                yield Finding(kind, where, told, f"{found}", BOOK)


def _booked(session: Session, instance_id: int) -> tuple[int, int]:
    charged = _sum(-CreditEntry.amount, CreditEntry.kind == EntryKind.CHARGE)
    refunded = _sum(CreditEntry.amount, CreditEntry.kind == EntryKind.REFUND)
    own = select(charged, refunded).where(CreditEntry.instance_id == instance_id)
    return _pair(session, own)


def _worth(session: Session, instance_id: int) -> tuple[int, int]:
    refunded = _sum(Item.credits, Item.refunded)
    own = select(func.coalesce(func.sum(Item.credits), 0), refunded)
    return _pair(session, own.where(Item.instance_id == instance_id))


def _sum(amount: Any, condition: Any) -> Any:
    return func.coalesce(func.sum(case((condition, amount), else_=0)), 0)


def _pair(session: Session, sums: Any) -> tuple[int, int]:
    first, second = session.execute(sums).one()
    return int(first), int(second)
