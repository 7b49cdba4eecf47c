"""Whose turn it is: the instance served longest ago, its oldest due item, and a new attempt.

The parts of `lifecycle.claim_next`, which makes the move, and the question before it. A turn is as
many images as the weight of the instance's plan: until then it keeps its place at the front.
"""

import secrets
from collections.abc import Sequence

from sqlalchemy import and_, exists, func, literal, or_, select, text, tuple_
from sqlalchemy.orm import Session

from config.plans import PLANS
from models.caps import RUNNING
from models.clock import UtcDateTime, from_now, now
from models.controls import NOT_PAUSED
from models.database import reading
from models.tables import Attempt, Instance, Item, Status

# From the claim until the prediction id is noted: the create's own bound of 9 s and some slack.
LEASE_SECONDS = 30.0
# Who has something waiting. What a disabled instance has is canceled by the sweep, never sent.
WAITING = (Instance.due_items > 0, Instance.disabled_at.is_(None))
# Who may be served, and who runs as many as its cap allows: each has an index.
SERVED = (*WAITING, Instance.held_at.is_(None))
HELD = (*WAITING, Instance.held_at.is_not(None))
LONG_TURNS = [plan.name for plan in PLANS.values() if plan.weight > 1]


@reading
def anything_due(session: Session) -> bool:
    """Is there an item that could be claimed now?"""
    return bool(session.scalar(select(and_(exists().where(*SERVED), NOT_PAUSED))))


def claimable(session: Session) -> int:
    """How many items could be claimed now, if none of those that run settled meanwhile."""
    uncapped = select(func.coalesce(func.sum(Instance.due_items), 0)).where(
        *SERVED, Instance.max_running.is_(None), NOT_PAUSED
    )
    capped = select(Instance.due_items, Instance.max_running - RUNNING).where(
        *SERVED, Instance.max_running.is_not(None), NOT_PAUSED
    )
    free = sum(max(0, min(due, room or 0)) for due, room in session.execute(capped))
    return int(session.scalar(uncapped) or 0) + free


def next_instance(session: Session, wait: bool) -> Instance | None:
    """Lock and return the instance whose turn it is: of those that nobody else has locked, or,
    to `wait` for (half as long as a grant is good), of all."""
    if wait and session.get_bind().dialect.name == "postgresql":
        session.execute(text("SET LOCAL lock_timeout = '100ms'"))
    waiting = select(Instance).where(*SERVED, NOT_PAUSED)
    longest_ago = waiting.order_by(Instance.last_served, Instance.id).limit(1)
    return session.scalar(longest_ago.with_for_update(skip_locked=not wait, key_share=True))


def is_out_of_turn(session: Session, instance: Instance, *, waited: bool) -> bool:
    """Whether another one's turn comes before that of this one, which is locked.

    Those that others are claiming from were passed over: it matters if their turns go on after
    that. Who has `waited` for one gets it although its turn may be over by now. Served all the
    same, it would get a share that is not its own. On SQLite nobody claims beside another.
    """
    if session.get_bind().dialect.name != "postgresql":
        return False
    before = tuple_(Instance.last_served, Instance.id) < tuple_(
        literal(instance.last_served, UtcDateTime()), literal(instance.id)
    )
    goes_on = or_(
        Instance.turns_left > 1, and_(Instance.turns_left == 0, Instance.plan.in_(LONG_TURNS))
    )
    there = exists().where(*SERVED, before)
    longer = there.where(goes_on, Instance.due_items > 1)
    return bool(session.scalar(select(there if waited else longer)))


def count_turn(instance: Instance) -> None:
    """Take an image that was claimed off a locked instance's turn; after the last one, or when it
    has nothing more, it goes to the end of the line."""
    weight = PLANS[instance.plan].weight
    instance.turns_left = left_of_turn(instance.turns_left, weight, instance.due_items)
    if not instance.turns_left:
        instance.last_served = now()


def left_of_turn(left: int, weight: int, due: int) -> int:
    """How many images a turn still has after one was claimed that began it (`left` is 0) or went
    on with it, with so many more due; 0: it is over. The simulation asks the same question."""
    return (left or weight) - 1 if due else 0


def oldest_due(session: Session, instance: Instance) -> Item | None:
    """The lock on the instance keeps every other claim and requeue away from its due items."""
    due = select(Item).where(
        Item.instance_id == instance.id, Item.status == Status.PENDING, Item.not_before.is_(None)
    )
    return session.scalar(due.order_by(Item.id).limit(1))


def waiting_items(session: Session, instance: Instance, limit: int) -> Sequence[Item]:
    """An instance's items that wait, up to so many: those that are due first, the oldest of them,
    then those that rest for the shortest time. Each kind has an index."""
    own = select(Item).where(Item.instance_id == instance.id)
    due = own.where(Item.status == Status.PENDING, Item.not_before.is_(None)).order_by(Item.id)
    found = list(session.scalars(due.limit(limit)))
    resting = own.where(Item.not_before.is_not(None)).order_by(Item.not_before)
    return found + list(session.scalars(resting.limit(limit - len(found))))


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
