"""Balances against the ledger, and every entry of the ledger against what it was booked for."""

import re
from collections.abc import Iterator
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from models.database import snapshot
from models.invariants.deleted import charged_and_refunded, with_deleted_jobs
from models.invariants.pages import Finding, Page, Span, Start, span
from models.invariants.turns import turns
from models.tables import Batch, CreditEntry, EntryKind, Instance, Item, Job, Status

# Each of them may have millions of entries.
INSTANCES = 100

BOOK = "Find out who changed the row, then book the difference: credits grant NAME AMOUNT."
COUNT = "The next claims and cancels count with it: set due_items to what was expected."
LEDGER = "Somebody changed the ledger by hand: compare it with a backup."
NUMBER = re.compile(r"(charge:job|charge:batch|refund:item):([1-9]\d{0,18})")
LARGEST_ID = 2**63 - 1
CHARGED = {"charge:job", "charge:batch"}


@snapshot
def balances(session: Session, after: Start) -> Page:
    """Each balance is the sum of its entries, each `due_items` the number of items that are due;
    each turn goes with the plan, and who is held with the cap; where jobs were deleted, what was
    booked for them is what the instance remembers of them."""
    instances = span(session, Instance.id, after, INSTANCES)
    booked = _by_instance(session, instances, CreditEntry, func.sum(CreditEntry.amount))
    due = _by_instance(session, instances, Item, func.count(), Item.status == Status.PENDING,
                       Item.not_before.is_(None))  # fmt: skip
    facts = select(Instance.id, Instance.name, Instance.balance, Instance.due_items)
    found = [*turns(session, instances), *charged_and_refunded(session, instances)]
    for id, name, balance, due_items in session.execute(facts.where(instances.holds(Instance.id))):
        where = f"instance {id} {name!r}"
        if balance != (total := booked.get(id, 0)):
            found.append(Finding("balance", where, f"{total} credits", f"{balance}", BOOK))
        if due_items != (number := due.get(id, 0)):
            found.append(Finding("due_items", where, f"{number} due", f"{due_items}", COUNT))
    return instances.page(found, INSTANCES)


def _by_instance(
    session: Session, instances: Span, table: Any, number: Any, *conditions: Any
) -> dict[int, int]:
    grouped = select(table.instance_id, number).where(instances.holds(table.instance_id))
    rows = session.execute(grouped.where(*conditions).group_by(table.instance_id))
    return {instance_id: int(total) for instance_id, total in rows}


@snapshot
def entries(session: Session, after: Start) -> Page:
    """Each entry goes on from the one before, and was booked for something that is there."""
    page = span(session, CreditEntry.id, after)
    if not page.rows:
        return page.page([])
    earlier = aliased(CreditEntry)
    before = (
        select(earlier.balance_after)
        .where(earlier.instance_id == CreditEntry.instance_id, earlier.id < CreditEntry.id)
        .order_by(earlier.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    rows = session.execute(
        select(CreditEntry, func.coalesce(before, 0))
        .where(page.holds(CreditEntry.id))
        .order_by(CreditEntry.id)
    ).all()
    charged, items = _booked_for(session, [entry for entry, _before in rows])
    forgetful = with_deleted_jobs(session)
    found = [finding for entry, before in rows for finding in _chain(entry, before)]
    for entry, _before in rows:
        # One without credits neither adds to a sum nor is remembered in one.
        forgiving = entry.instance_id in forgetful or not entry.amount
        found.extend(_charge(entry, charged, forgiving) if entry.kind == EntryKind.CHARGE else ())
        found.extend(_refund(entry, items, forgiving) if entry.kind == EntryKind.REFUND else ())
    return page.page(found)


def _chain(entry: CreditEntry, before: int) -> Iterator[Finding]:
    if entry.balance_after != before + entry.amount:
        expected = f"a balance of {before + entry.amount} after it"
        yield Finding("ledger_chain", _where(entry), expected, f"{entry.balance_after}", LEDGER)


def _booked_for(
    session: Session, entries: list[CreditEntry]
) -> tuple[dict[tuple[str, int], int], dict[int, Item]]:
    """The instances of the jobs and batches that were charged, and the items that were refunded."""
    numbers: dict[str, list[int]] = {"charge:job": [], "charge:batch": [], "refund:item": []}
    for entry in entries:
        if match := NUMBER.fullmatch(entry.reference):
            numbers[match[1]].append(min(int(match[2]), LARGEST_ID))
    charged: dict[tuple[str, int], int] = {}
    for kind, table in (("charge:job", Job), ("charge:batch", Batch)):
        owned = select(table.id, table.instance_id).where(table.id.in_(numbers[kind]))
        charged |= {(kind, row.id): row.instance_id for row in session.execute(owned)}
    refunded = select(Item).where(Item.id.in_(numbers["refund:item"]))
    return charged, {item.id: item for item in session.scalars(refunded)}


def _charge(
    entry: CreditEntry, charged: dict[tuple[str, int], int], forgiving: bool
) -> Iterator[Finding]:
    """The amount is compared where the job, or the batch, is looked at. Where jobs were deleted,
    their sum tells whether all that are missing were."""
    match = NUMBER.fullmatch(entry.reference)
    booked = (match[1], int(match[2])) if match and match[1] in CHARGED else None
    owner = charged.get(booked) if booked else None
    if owner != entry.instance_id and not (forgiving and booked and owner is None):
        yield Finding("charge_without_job", _where(entry), "a job or a batch of this instance",
                      "none", BOOK)  # fmt: skip


def _refund(entry: CreditEntry, items: dict[int, Item], forgiving: bool) -> Iterator[Finding]:
    """One reference exists once, so an image cannot have two refunds of the right form."""
    item_id = _number(entry, "refund:item")
    item = items.get(item_id) if item_id else None
    if item is None and item_id and forgiving:
        return
    if item is None or item.instance_id != entry.instance_id:
        yield Finding("refund_without_image", _where(entry), "an image of this instance", "none",
                      BOOK)  # fmt: skip
        return
    if item.status not in {Status.FAILED, Status.CANCELED}:
        yield Finding("refund_of_unfinished", _where(entry), f"item {item.id} FAILED or CANCELED",
                      item.status, BOOK)  # fmt: skip
    if entry.amount != item.credits:
        yield Finding("refund_amount", _where(entry), f"{item.credits} credits", f"{entry.amount}",
                      BOOK)  # fmt: skip


def _number(entry: CreditEntry, of: str) -> int | None:
    match = NUMBER.fullmatch(entry.reference)
    return int(match[2]) if match and match[1] == of else None


def _where(entry: CreditEntry) -> str:
    return f"credit entry {entry.id} {entry.reference!r} of instance {entry.instance_id}"
