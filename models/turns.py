"""Whose turn it is: the instance served longest ago, its oldest due item, and a new attempt.

The parts of `lifecycle.claim_next`, which makes the move, and the question before it. A turn is as
many images as the weight of the instance's plan: until then it keeps its place at the front.
"""

import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import (
    Row,
    and_,
    bindparam,
    exists,
    false,
    func,
    insert,
    or_,
    select,
    text,
    tuple_,
    update,
)
from sqlalchemy.orm import Session

from config.plans import PLANS
from models import caps, ledger
from models.caps import RUNNING
from models.clock import UtcDateTime, from_now, in_seconds, now
from models.controls import LIMIT_SET, NOT_PAUSED, Terms, read_terms
from models.database import reading
from models.tables import ATTEMPTS, INSTANCES, ITEMS, JOBS, Id, Instance, Item, Status, fixed

# From the claim until the prediction id is noted: the create's own bound of 9 s and some slack.
LEASE_SECONDS = 30.0
_I = INSTANCES.c
# Who has something waiting. What a disabled instance has is canceled by the sweep, never sent.
WAITING = (_I.due_items > fixed(0), _I.disabled_at.is_(None))
# Who may be served, and who runs as many as its cap allows: each has an index.
SERVED = (*WAITING, _I.held_at.is_(None))
HELD = (*WAITING, _I.held_at.is_not(None))
LONG_TURNS = [plan.name for plan in PLANS.values() if plan.weight > 1]

_ANY_DUE = and_(exists().where(*SERVED), NOT_PAUSED)
_WANTED = select(_ANY_DUE, *LIMIT_SET)

_NEXT = (
    select(_I.id, _I.plan, _I.due_items, _I.turns_left, _I.last_served, _I.max_running.is_not(None))
    .where(*SERVED, NOT_PAUSED)
    .order_by(_I.last_served, _I.id)
    .limit(1)
)
_FRONT = _NEXT.with_for_update(key_share=True)
_FREE_FRONT = _NEXT.with_for_update(key_share=True, skip_locked=True)

_INSTANCE = bindparam("instance", type_=Id)
_THERE = exists().where(
    *SERVED,
    tuple_(_I.last_served, _I.id)
    < tuple_(bindparam("last_served", type_=UtcDateTime()), _INSTANCE),
)
_GOES_ON = or_(_I.turns_left > 1, and_(_I.turns_left == 0, _I.plan.in_(LONG_TURNS)))

_CLAIMED = update(INSTANCES).where(_I.id == _INSTANCE)
_STAY_IN_FRONT = _CLAIMED.values(due_items=_I.due_items - 1, turns_left=bindparam("left"))
_GO_TO_THE_END = _CLAIMED.values(due_items=_I.due_items - 1, turns_left=0, last_served=now())

# What is told of an item whose turn it is.
_TOLD = ("id", "job_id", "instance_id", "model", "image_url", "reference_urls", "prompt",
         "aspect_ratio", "output_format", "resolution")  # fmt: skip
_OLDEST_DUE = (
    select(*(ITEMS.c[name] for name in _TOLD))
    .where(
        ITEMS.c.instance_id == _INSTANCE,
        ITEMS.c.status == fixed(Status.PENDING),
        ITEMS.c.not_before.is_(None),
    )
    .order_by(ITEMS.c.id)
    .limit(1)
)
# With whether another one's turn comes before: for who has waited for its own, and for who has not.
_AND_BEFORE = {
    True: _OLDEST_DUE.add_columns(_THERE.label("out_of_turn")),
    False: _OLDEST_DUE.add_columns(
        _THERE.where(_GOES_ON, _I.due_items > 1).label("out_of_turn"),
    ),
}
_WHATEVER_COMES = _OLDEST_DUE.add_columns(false().label("out_of_turn"))
_START_JOB = (
    update(JOBS)
    .where(JOBS.c.id == bindparam("job"))
    .values(
        version=JOBS.c.version + 1,
        # No job that has begun waits again.
        status=fixed(Status.RUNNING),
        started_at=func.coalesce(JOBS.c.started_at, now()),
    )
)
_NEW_ATTEMPT = (
    insert(ATTEMPTS)
    .values(lease_until=from_now(LEASE_SECONDS), deadline_at=in_seconds("deadline"))
    .returning(ATTEMPTS.c.id)
)
_RUN = (
    update(ITEMS)
    .where(ITEMS.c.id == bindparam("item"))
    .values(status=fixed(Status.RUNNING), attempt_id=bindparam("attempt"), updated_at=now())
)


class Front(NamedTuple):
    """The instance whose turn it is, as it was when it was locked."""

    id: int
    plan: str
    due_items: int
    turns_left: int
    last_served: datetime
    capped: bool


class Hold(NamedTuple):
    """An attempt that holds an item, and its reference."""

    attempt_id: int
    reference: str


@reading
def anything_due(session: Session) -> bool:
    """Is there an item that could be claimed now?"""
    return bool(session.scalar(select(_ANY_DUE)))


@reading
def wanted(session: Session) -> Terms | None:
    """What operators set of the limit, while there is an item that could be claimed now."""
    any_due, *limit = session.execute(_WANTED).one()
    return read_terms(*limit) if any_due else None


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


def next_instance(session: Session, wait: bool) -> Front | None:
    """Lock and return the instance whose turn it is: of those that nobody else has locked, or,
    to `wait` for (half as long as a grant is good), of all."""
    if wait and session.get_bind().dialect.name == "postgresql":
        session.execute(text("SET LOCAL lock_timeout = '100ms'"))
    row = session.execute(_FRONT if wait else _FREE_FRONT).one_or_none()
    return Front(*row) if row else None


def count_turn(session: Session, front: Front) -> None:
    """Take an image that was claimed off a locked instance's due ones and off its turn; after the
    last one, or when it has nothing more, it goes to the end of the line."""
    left = left_of_turn(front.turns_left, PLANS[front.plan].weight, front.due_items - 1)
    if left:
        session.execute(_STAY_IN_FRONT, {"instance": front.id, "left": left})
    else:
        session.execute(_GO_TO_THE_END, {"instance": front.id})
    if front.capped:
        caps.hold_if_full(session, ledger.lock(session, front.id))


def oldest_due(session: Session, front: Front, *, waited: bool, any_turn: bool) -> Row[Any] | None:
    """A locked instance's oldest due item, and as `out_of_turn` whether another one's turn comes
    before that of this one. The lock keeps every other claim and requeue away from its due items.

    Those that others are claiming from were passed over: it matters if their turns go on after
    that. Who has `waited` for one gets it although its turn may be over by now. Served all the
    same, it would get a share that is not its own. On SQLite nobody claims beside another.
    """
    alone = session.get_bind().dialect.name == "sqlite"
    statement = _WHATEVER_COMES if any_turn or alone else _AND_BEFORE[waited]
    facts = {"instance": front.id, "last_served": front.last_served}
    return session.execute(statement, facts).one_or_none()


def left_of_turn(left: int, weight: int, due: int) -> int:
    """How many images a turn still has after one was claimed that began it (`left` is 0) or went
    on with it, with so many more due; 0: it is over. The simulation asks the same question."""
    return (left or weight) - 1 if due else 0


def start_job(session: Session, job_id: int) -> None:
    """Note that one of a job's items is about to run; the job is locked from here on."""
    session.execute(_START_JOB, {"job": job_id})


def hold(
    session: Session, item: Row[Any], deadline: float, sent_urls: Sequence[str] | None = None
) -> Hold:
    """Give an item to a new attempt, which says "about to create": a crash from here on is known
    to be ambiguous.

    `sent_urls`, where they are not the item's own, are written down before they are sent: Replicate
    shows them again, and the prediction is known by them.
    """
    reference = secrets.token_urlsafe(24)
    attempt = {
        "item_id": item.id,
        "reference": reference,
        "result_key": secrets.token_hex(16),
        "deadline": deadline,
        "sent_urls": sent_urls and list(sent_urls),
    }
    attempt_id = session.execute(_NEW_ATTEMPT, attempt).scalar_one()
    session.execute(_RUN, {"item": item.id, "attempt": attempt_id})
    return Hold(attempt_id, reference)


def waiting_items(session: Session, instance: Instance, limit: int) -> Sequence[Item]:
    """An instance's items that wait, up to so many: those that are due first, the oldest of them,
    then those that rest for the shortest time. Each kind has an index."""
    own = select(Item).where(Item.instance_id == instance.id)
    due = own.where(Item.status == Status.PENDING, Item.not_before.is_(None)).order_by(Item.id)
    found = list(session.scalars(due.limit(limit)))
    resting = own.where(Item.not_before.is_not(None)).order_by(Item.not_before)
    return found + list(session.scalars(resting.limit(limit - len(found))))
