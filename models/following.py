"""Looking after predictions: which to ask about now, which creates are in doubt, what is overdue.

Nobody owns a noted prediction. Its checks are numbered, and whoever takes the next number asks, so
two followers do no harm, clocks need not agree, and a dead one delays it by one interval.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from models import turns
from models.clock import age, from_now, in_seconds, now
from models.database import changed, each_alone, insert_into, reading, transaction
from models.orders import input_urls
from models.tables import (
    ATTEMPTS,
    ITEMS,
    Attempt,
    AttemptStatus,
    Heartbeat,
    Instance,
    Item,
    Status,
    fixed,
)
from models.uploads import keys_of

# Replicate deletes a prediction's input after an hour: this much of it can be relied on.
REMEMBERED_SECONDS = 55 * 60.0


@dataclass(frozen=True, slots=True)
class Check:
    """A prediction to ask about. `number` counts how often it was asked about, this time too.
    When `overdue`, Replicate should have ended it by now; when `forgotten`, long since deleted.
    `unwanted`: its shop wants the image canceled."""

    attempt_id: int
    prediction_id: str
    result_key: str
    number: int
    overdue: bool
    forgotten: bool
    item_id: int
    job_id: int
    instance_id: int
    quality: int | None
    unwanted: bool


@dataclass(frozen=True, slots=True)
class Creation:
    """An attempt with the model and the input of the prediction that its create makes."""

    attempt_id: int
    created_at: datetime
    model: str
    image_url: str
    reference_urls: list[str]
    sent_urls: list[str] | None
    prompt: str
    aspect_ratio: str
    output_format: str
    resolution: str | None

    @property
    def image_urls(self) -> tuple[str, ...]:
        """The addresses that the model gets, its image first."""
        return input_urls(self.image_url, self.reference_urls, self.sent_urls)

    @property
    def never_sent(self) -> bool:
        """Whether it ended before anything could be sent: the copies of its uploads were missing,
        and what is sent instead of them is written down first."""
        return self.sent_urls is None and bool(keys_of(self.image_urls))


@dataclass(frozen=True, slots=True)
class Doubt(Creation):
    """A create whose answer was never noted. When `overdue`, a prediction that it made has ended
    for certain; when `forgotten`, Replicate may have deleted the input by which to know it."""

    overdue: bool
    forgotten: bool


@dataclass(frozen=True, slots=True)
class Addressee(Creation):
    """The attempt that a webhook is about; `number` is that of its prediction's next check."""

    status: AttemptStatus
    prediction_id: str | None
    number: int


INPUT: tuple[Any, ...] = (
    Attempt.id,
    Attempt.created_at,
    Item.model,
    Item.image_url,
    Item.reference_urls,
    Attempt.sent_urls,
    Item.prompt,
    Item.aspect_ratio,
    Item.output_format,
    Item.resolution,
)


_A, _I = ATTEMPTS.c, ITEMS.c
_OPEN = update(ATTEMPTS).where(
    _A.id == bindparam("attempt"), _A.status == fixed(AttemptStatus.CREATED)
)
_CHECK_IN = _OPEN.values(next_check_at=in_seconds("again_in"))
_TAKE_NEXT = _CHECK_IN.where(_A.checks == bindparam("before")).values(checks=_A.checks + 1)
_TAKEN = (
    select(
        _A.id,
        _A.prediction_id,
        _A.result_key,
        _A.checks,
        _A.deadline_at < now(),
        _A.deadline_at < from_now(-2 * REMEMBERED_SECONDS),
        _I.id,
        _I.job_id,
        _I.instance_id,
        _I.quality,
        _I.cancel_requested_at.is_not(None),
    )
    .join_from(ATTEMPTS, ITEMS, _I.id == _A.item_id)
    .where(_A.id == bindparam("attempt"))
)


@each_alone
def take_check(session: Session, attempt_id: int, number: int, again_in: float) -> Check | None:
    """Take the right to ask about a prediction for the `number`-th time.

    None: another follower took it, or the attempt has ended. If nothing is heard of this one, the
    next is overdue in `again_in` seconds.
    """
    facts = {"attempt": attempt_id, "before": number - 1, "again_in": again_in}
    if not changed(session, _TAKE_NEXT, facts):
        return None
    return Check(*session.execute(_TAKEN, {"attempt": attempt_id}).one())


@each_alone
def check_in(session: Session, attempt_id: int, seconds: float) -> bool:
    """Have a prediction asked about `seconds` from now."""
    return changed(session, _CHECK_IN, {"attempt": attempt_id, "again_in": seconds})


@reading
def overdue_checks(session: Session, late_by: float, limit: int) -> list[tuple[int, int]]:
    """The attempts whose prediction nobody asked about although it was time `late_by` s ago, each
    with the number of its next check; the longest overdue first."""
    late = select(Attempt.id, Attempt.checks + 1).where(
        Attempt.status == AttemptStatus.CREATED, Attempt.next_check_at < from_now(-late_by)
    )
    oldest = late.order_by(Attempt.next_check_at).limit(limit)
    return [(attempt_id, number) for attempt_id, number in session.execute(oldest)]


@reading
def creates_in_doubt(session: Session, limit: int) -> Sequence[Doubt]:
    """The oldest attempts whose lease ran out before a prediction id was noted."""
    overdue = Attempt.deadline_at < now()
    forgotten = Attempt.created_at < from_now(-REMEMBERED_SECONDS)
    facts = (*INPUT, overdue, forgotten)
    doubtful = (
        select(*facts)
        .join(Item, Item.id == Attempt.item_id)
        .where(Attempt.status == AttemptStatus.CREATING, Attempt.lease_until < now())
        .order_by(Attempt.lease_until)
        .limit(limit)
    )
    return [Doubt(*row) for row in session.execute(doubtful)]


@reading
def creates_under_way(session: Session, limit: int) -> Sequence[Creation]:
    """The attempts whose prediction id is not noted yet, the oldest first."""
    creating = select(*INPUT).join(Item, Item.id == Attempt.item_id)
    open_ones = creating.where(Attempt.status == AttemptStatus.CREATING)
    oldest = open_ones.order_by(Attempt.lease_until).limit(limit)
    return [Creation(*row) for row in session.execute(oldest)]


@reading
def addressee(session: Session, reference: str, prediction_id: str) -> Addressee | None:
    """The attempt that has this prediction, else the one whose create carried `reference`."""
    facts = (*INPUT, Attempt.status, Attempt.prediction_id, Attempt.checks + 1)
    either = select(*facts).join(Item, Item.id == Attempt.item_id)
    for named in (Attempt.prediction_id == prediction_id, Attempt.reference == reference):
        if row := session.execute(either.where(named)).one_or_none():
            return Addressee(*row)
    return None


@reading
def known_predictions(session: Session, prediction_ids: Sequence[str]) -> set[str]:
    """Those of `prediction_ids` that an attempt has already."""
    known: set[str | None] = set()
    # Databases bound the parameters of one statement, and a list may be long.
    for start in range(0, len(prediction_ids), 1000):
        some = prediction_ids[start : start + 1000]
        known.update(
            session.scalars(select(Attempt.prediction_id).where(Attempt.prediction_id.in_(some)))
        )
    return {prediction_id for prediction_id in known if prediction_id}


@reading
def recent_sends(session: Session, window: float) -> list[float]:
    """The ages in seconds of the attempts that may have been sent in the last `window` seconds.

    A create is sent within the grant's age of its claim, never before it.
    """
    recent = select(age(Attempt.created_at)).where(Attempt.created_at >= from_now(-window))
    return list(session.scalars(recent))


@reading
def instances_with_rested_items(session: Session, limit: int) -> Sequence[int]:
    """The instances that have items whose pause is over, up to `limit` items' worth."""
    rested = select(Item.instance_id).where(Item.not_before <= now()).limit(limit).subquery()
    return session.scalars(select(rested.c.instance_id).distinct().order_by("instance_id")).all()


@reading
def waiting_too_long(session: Session, seconds: float, limit: int) -> dict[int, list[int]]:
    """Of the `limit` oldest waiting items those that are older than that, by instance.

    Ids grow with time: behind a younger one there are only younger ones, and mostly the very oldest
    is young enough.
    """
    too_old = (Item.created_at < from_now(-seconds)).label("too_old")
    waiting = select(Item.instance_id, Item.id, too_old).where(Item.status == Status.PENDING)
    oldest = session.execute(waiting.order_by(Item.id).limit(1)).one_or_none()
    found: dict[int, list[int]] = {}
    if oldest is None or not oldest.too_old:
        return found
    for instance_id, item_id, expired in session.execute(waiting.order_by(Item.id).limit(limit)):
        if expired:
            found.setdefault(instance_id, []).append(item_id)
    return found


@reading
def disabled_with_due_items(session: Session, limit: int) -> Sequence[int]:
    """The disabled instances that have something waiting, due to a move that came after."""
    # None of them is held, so the index of turns has them all.
    in_line = (Instance.due_items > 0, Instance.held_at.is_(None))
    waiting = select(Instance.id).where(*in_line, Instance.disabled_at.is_not(None))
    return session.scalars(waiting.limit(limit)).all()


@reading
def due_items(session: Session) -> int:
    """How many items could be claimed now: none during an operator's pause, and of a capped
    instance no more than it may run."""
    return turns.claimable(session)


@transaction
def beat(session: Session, name: str, at_most_every: float) -> bool:
    """Record that `name` happens now; False when it did less than `at_most_every` seconds ago.

    So any number of schedulers may ask for the same work, and it is done once.
    """
    statement = insert_into(session, Heartbeat).values(name=name, at=now())
    return changed(
        session,
        statement.on_conflict_do_update(
            index_elements=[Heartbeat.name],
            set_={"at": now()},
            where=Heartbeat.at <= from_now(-at_most_every),
        ),
    )


@reading
def seconds_since(session: Session, name: str) -> float | None:
    """The seconds since `name` last happened; None when it never did."""
    return session.scalar(select(age(Heartbeat.at)).where(Heartbeat.name == name))
