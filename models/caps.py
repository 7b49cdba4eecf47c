"""How much one instance may have at a time: images that run, and images that wait.

An instance that runs as many as its cap allows is held: it leaves the line of those whose turn may
come, so that a claim never looks at it, however many there are. Who changes what a capped instance
runs locks the instance first, so that the count is true; only capped instances pay for it.
"""

from collections.abc import Sequence

from flask import g
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import audit, ledger
from models.clock import now
from models.database import reading, transaction
from models.errors import NotFound, QueueFull
from models.tables import Instance, Item, Status

_ROOM_MADE = "darkroom_room_made"
RUNNING = (
    select(func.count())
    .where(Item.instance_id == Instance.id, Item.status == Status.RUNNING)
    .correlate(Instance)
    .scalar_subquery()
)


@transaction
def set_caps(
    session: Session, name: str, running: int | None, waiting: int | None, by: str | None = None
) -> None:
    """Let an instance have at most so many images running and waiting; None: as many as it likes.

    What runs or waits already stays. Raises `NotFound`.
    """
    instance_id = session.scalar(select(Instance.id).where(Instance.name == name))
    if instance_id is None:
        raise NotFound(f"There is no instance {name}.")
    instance = ledger.lock(session, instance_id)
    instance.max_running, instance.max_waiting = running, waiting
    _hold(session, instance)
    audit.write(session, by, "instances cap", name, running=running, waiting=waiting)


def check_room(session: Session, instance: ledger.Orderer, images: int) -> None:
    """Raise `QueueFull` when so many more would be too many to wait; the instance is locked."""
    if instance.max_waiting is None:
        return
    resting = select(func.count()).where(
        Item.instance_id == instance.id, Item.not_before.is_not(None)
    )
    waiting = instance.due_items + (session.scalar(resting) or 0)
    if waiting + images > instance.max_waiting:
        raise QueueFull(instance.max_waiting, waiting, images)


def hold_if_full(session: Session, instance: Instance) -> None:
    """Take a locked instance, of which an image was claimed just now, out of the line if that was
    the last one that it may run."""
    if instance.max_running is not None:
        _hold(session, instance)


def lock(session: Session, instance_id: int) -> Instance:
    """Lock a capped instance of which an image is going to run no longer: the first lock of a move,
    before the job's."""
    # It may have been locked and changed before: to read it again must not undo that.
    session.flush()
    return ledger.lock(session, instance_id)


def let_go(session: Session, instance: Instance | None) -> None:
    """Let a locked instance, of which an image has just ended to run, back into the line if its cap
    allows another one; see `room_made`."""
    if instance is None:
        return
    if instance.held_at:
        _hold(session, instance)
    capped = instance.max_running is not None and instance.disabled_at is None
    if capped and instance.held_at is None and instance.due_items:
        setattr(g, _ROOM_MADE, True)


def room_made() -> bool:
    """Whether a capped instance could have an image claimed since something ended in this
    application context, since last asked: the message of that image found nothing due and is gone.

    Whoever opened the context asks after the commit, and wakes somebody. The sweep does so too.
    """
    return bool(g.pop(_ROOM_MADE, False))


@reading
def held_in_vain(session: Session, limit: int) -> Sequence[int]:
    """The instances that are held although they run less than their caps allow, because a cap was
    changed at the very moment at which an image settled."""
    held = select(Instance.id).where(Instance.held_at.is_not(None))
    return session.scalars(
        held.where(Instance.max_running > RUNNING).order_by(Instance.id).limit(limit)
    ).all()


@transaction
def look_again(session: Session, instance_id: int) -> int:
    """Hold an instance or let it go, by what it runs now; return how many it lets into the line."""
    instance = ledger.lock(session, instance_id)
    _hold(session, instance)
    return 0 if instance.held_at else 1


def running(session: Session, instance_id: int) -> int:
    """How many images of an instance run."""
    own = select(func.count()).where(Item.instance_id == instance_id, Item.status == Status.RUNNING)
    return session.scalar(own) or 0


def _hold(session: Session, instance: Instance) -> None:
    """Set or clear `held_at` by a count that sees what this transaction has done."""
    session.flush()
    cap = instance.max_running
    # A disabled one is served no more in any case.
    full = cap is not None and not instance.disabled_at and running(session, instance.id) >= cap
    if full != bool(instance.held_at):
        instance.held_at = now() if full else None
