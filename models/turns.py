"""Whose turn it is: the instance served longest ago, its oldest due item, and a new attempt.

The parts of `lifecycle.claim_next`, which makes the move, and the question before it.
"""

import secrets
from collections.abc import Sequence

from sqlalchemy import exists, select, text
from sqlalchemy.orm import Session

from models.clock import from_now
from models.database import reading
from models.tables import Attempt, Instance, Item, Status

# From the claim until the prediction id is noted: the create's own bound of 9 s and some slack.
LEASE_SECONDS = 30.0
# What a disabled instance has waiting is canceled by the sweep, never sent.
SERVED = (Instance.due_items > 0, Instance.disabled_at.is_(None))


@reading
def anything_due(session: Session) -> bool:
    """Is there an item that could be claimed now?"""
    return bool(session.scalar(select(exists().where(*SERVED))))


def next_instance(session: Session, wait: bool) -> Instance | None:
    """Lock and return the instance whose turn it is: of those that nobody else has locked, or,
    to `wait` for (as long as a grant is good), of all."""
    if wait and session.get_bind().dialect.name == "postgresql":
        session.execute(text("SET LOCAL lock_timeout = '200ms'"))
    waiting = select(Instance).where(*SERVED)
    longest_ago = waiting.order_by(Instance.last_served, Instance.id).limit(1)
    return session.scalar(longest_ago.with_for_update(skip_locked=not wait, key_share=True))


def oldest_due(session: Session, instance: Instance) -> Item | None:
    """The lock on the instance keeps every other claim and requeue away from its due items."""
    due = select(Item).where(
        Item.instance_id == instance.id, Item.status == Status.PENDING, Item.not_before.is_(None)
    )
    return session.scalar(due.order_by(Item.id).limit(1))


def waiting_items(session: Session, instance: Instance, limit: int) -> Sequence[Item]:
    """An instance's oldest items that wait, the due ones first: each kind has an index."""
    own = select(Item).where(Item.instance_id == instance.id).order_by(Item.id)
    due = own.where(Item.status == Status.PENDING, Item.not_before.is_(None)).limit(limit)
    found = list(session.scalars(due))
    resting = own.where(Item.not_before.is_not(None)).limit(limit - len(found))
    return found + list(session.scalars(resting))


def new_attempt(
    session: Session, item: Item, deadline: float, sent_urls: Sequence[str] | None = None
) -> Attempt:
    """The attempt says "about to create": a crash from here on is known to be ambiguous.

    `sent_urls`, where they are not the item's own, are written down before they are sent: Replicate
    shows them again, and the prediction is known by them.
    """
    attempt = Attempt(
        item_id=item.id,
        reference=secrets.token_urlsafe(24),
        result_key=secrets.token_hex(16),
        lease_until=from_now(LEASE_SECONDS),
        deadline_at=from_now(deadline),
        sent_urls=sent_urls and list(sent_urls),
    )
    session.add(attempt)
    session.flush()
    return attempt
