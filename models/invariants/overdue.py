"""What should have happened by now, by the database's clock: images that nothing moves on."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, exists, func, or_, select
from sqlalchemy.orm import Session

from models.clock import age, from_now, now
from models.database import reading, snapshot
from models.following import REMEMBERED_SECONDS
from models.invariants.pages import Finding, Page, Start, span
from models.tables import Attempt, AttemptStatus, Instance, Item, Status
from models.turns import SERVED

# Ten sweeps: whatever was lost has been repaired by then, if anybody sweeps.
LATE = 300.0
SWEEP = "Is a housekeeper running, and does /readyz call the sweep ok? Its log names the attempt."
WORKERS = "Is a worker running? `queue status` says; its log says why it sends nothing."
EXPIRY = "The sweep ends such images: look for its errors in the housekeepers' log."


@dataclass(frozen=True, slots=True)
class Patience:
    """How long an image may wait at all, and how long nothing may be sent although something is
    due: seconds. The latter is None while there is a pause."""

    expires_after: float
    idle: float | None


@snapshot
def overdue_attempts(session: Session, after: Start) -> Page:
    """Attempts that hold an image, and that the sweep should have settled or asked about."""
    page = span(session, Attempt.id, after, where=_neglected())
    rows = session.scalars(select(Attempt).where(page.holds(Attempt.id), _neglected()))
    return page.page([_tell(attempt) for attempt in rows])


def _neglected() -> ColumnElement[bool]:
    """A create in doubt is settled when its deadline has passed, or when Replicate forgets it; a
    prediction is asked about all the time, and canceled at its deadline; one that nobody wants is
    canceled every minute until Replicate confirms its end."""
    settled = or_(
        Attempt.deadline_at < from_now(-LATE),
        Attempt.created_at < from_now(-REMEMBERED_SECONDS - LATE),
    )
    doubtful = and_(
        Attempt.status == AttemptStatus.CREATING, Attempt.lease_until < from_now(-LATE), settled
    )
    unasked = or_(Attempt.next_check_at.is_(None), Attempt.next_check_at < from_now(-LATE))
    endless = Attempt.deadline_at < from_now(-2 * LATE)
    unwanted = Attempt.cancel_at < from_now(-LATE)
    followed = and_(Attempt.status == AttemptStatus.CREATED, or_(unasked, endless))
    return or_(doubtful, followed, unwanted)


def _tell(attempt: Attempt) -> Finding:
    where = f"item {attempt.item_id}, attempt {attempt.id}"
    if attempt.status == AttemptStatus.CREATING:
        expected, found = "settled by now", f"in doubt since {attempt.lease_until:%F %T}Z"
        return Finding("stuck_in_doubt", where, expected, found, SWEEP)
    if attempt.status == AttemptStatus.ENDED:
        found = f"to be canceled since {attempt.cancel_at:%F %T}Z"
        return Finding("stuck_stray", f"{where}, prediction {attempt.prediction_id}",
                       "canceled by now", found, SWEEP)  # fmt: skip
    expected = "asked about, and canceled at its deadline"
    found = f"next check {attempt.next_check_at}, deadline {attempt.deadline_at:%F %T}Z"
    return Finding("stuck_prediction", f"{where}, prediction {attempt.prediction_id}", expected,
                   found, SWEEP)  # fmt: skip


@snapshot
def overdue_images(session: Session, after: Start, patience: Patience) -> Page:
    """Images that rest or wait for longer than they should, and a queue that stands still."""
    old = from_now(-patience.expires_after - LATE)
    rested = Item.not_before < from_now(-LATE)
    late = and_(Item.status == Status.PENDING, or_(rested, Item.created_at < old))
    page = span(session, Item.id, after, where=late)
    rows = session.scalars(select(Item).where(page.holds(Item.id), late).order_by(Item.id))
    found = [_late(item) for item in rows]
    if after == 0 and patience.idle is not None:
        found += _standstill(session, patience.idle)
    return page.page(found)


def _late(item: Item) -> Finding:
    where = f"item {item.id} of job {item.job_id}"
    if item.not_before:
        found = f"resting until {item.not_before:%F %T}Z"
        return Finding("stuck_resting", where, "due again by now", found, SWEEP)
    found = f"waiting since {item.created_at:%F %T}Z"
    return Finding("not_expired", where, "sent or expired by now", found, EXPIRY)


def _standstill(session: Session, idle: float) -> list[Finding]:
    """One finding for all of them: in a long line the last one waits for hours, and rightly so."""
    due = and_(Item.status == Status.PENDING, Item.not_before.is_(None))
    # What a cap keeps back waits rightly, however long.
    servable = select(age(Item.updated_at)).join(Instance, Instance.id == Item.instance_id)
    oldest = servable.where(due, *SERVED).order_by(Item.id).limit(1)
    waited = session.scalar(oldest)
    served = session.scalar(select(exists().where(Attempt.created_at > from_now(-idle))))
    if waited is None or waited < idle or served:
        return []
    expected = f"an image claimed in the last {idle:.0f} s"
    return [Finding("standstill", "the queue", expected, f"none, one is due for {waited:.0f} s",
                    WORKERS)]  # fmt: skip


@reading
def oldest_under_way(session: Session) -> float:
    """For how many seconds the oldest attempt that has not ended is under way; 0 if there is none.

    Each status has an index of its own, of which only what is under way is a part.
    """
    statuses = (AttemptStatus.CREATING, AttemptStatus.CREATED)
    ages = (select(func.max(age(Attempt.created_at))).where(Attempt.status == each)
            for each in statuses)  # fmt: skip
    return max(session.scalar(each) or 0.0 for each in ages)


@reading
def creates_in_doubt(session: Session) -> int:
    """How many creates have an unknown end: their lease ran out before a prediction was noted."""
    doubtful = select(func.count()).where(
        Attempt.status == AttemptStatus.CREATING, Attempt.lease_until < now()
    )
    return session.scalar(doubtful) or 0
