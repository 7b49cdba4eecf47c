"""What operators set while the service runs: a pause, and another limit than the settings'.

The rows of `controls` are the truth, because they survive Redis. While there is a pause, nothing is
due for workers. A limit is taken over by whoever next asks for a slot (`tasks.limiter`); `revision`
says which of two is newer.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, exists, select, text
from sqlalchemy.orm import Session

from config.forms import RateLimit
from models import audit
from models.clock import now
from models.database import changed, insert_into, lookup, reading, transaction
from models.tables import Control

PAUSE, LIMIT = "paused", "limit"
# For the `where` of whatever asks for work.
NOT_PAUSED = ~exists().where(Control.name == PAUSE)
_PAUSED = select(Control.value, Control.changed_at).where(Control.name == PAUSE)
# For whatever asks for the limit together with something else; see `read_terms`.
LIMIT_SET = (select(Control.value).where(Control.name == LIMIT).scalar_subquery(), now())


@dataclass(frozen=True, slots=True)
class Pause:
    """An operator's pause: why, by whom, and since when."""

    reason: str
    by: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast predictions may be created: the limit, and the least seconds between two."""

    limit: RateLimit
    spacing: float

    def __str__(self) -> str:
        return f"{self.limit}, {self.spacing:g}s apart"


@dataclass(frozen=True, slots=True)
class Former:
    """A pace that was replaced. It binds together with the new one for `left` seconds more, so
    that no window in which both were in force holds more than the tighter of them allows."""

    pace: Pace
    left: float


@dataclass(frozen=True, slots=True)
class Terms:
    """What operators set of the limit: `pace` is None where that of the settings is in force.
    `at_once`: the former paces bind no more. Revision 0 is before the first change."""

    revision: int
    pace: Pace | None
    former: tuple[Former, ...] = ()
    at_once: bool = False


AS_SET = Terms(0, None)


@lookup
def paused(connection: Connection) -> Pause | None:
    """The pause, while there is one."""
    row = connection.execute(_PAUSED).first()
    return Pause(row.value["reason"], row.value["by"], row.changed_at) if row else None


@transaction
def pause(session: Session, reason: str, by: str) -> None:
    """Let nothing be claimed from now on. What was claimed just before is sent within the time
    that a grant is good for, or waits again. A second pause only has another reason."""
    _put(session, PAUSE, {"reason": reason, "by": by})
    audit.write(session, by, "queue pause", "queue", reason=reason)


@transaction
def resume(session: Session, by: str) -> bool:
    """End the pause; False when there is none."""
    ended = changed(session, delete(Control).where(Control.name == PAUSE))
    if ended:
        audit.write(session, by, "queue resume", "queue")
    return ended


@reading
def terms(session: Session) -> Terms:
    """What holds for the limit now."""
    return _terms(session)


@transaction
def set_pace(
    session: Session, pace: Pace | None, settings: Pace, by: str, *, at_once: bool = False
) -> Terms:
    """Put another pace in force (None: that of the `settings`), and return what holds now."""
    if session.get_bind().dialect.name == "postgresql":
        # One after the other, so that the newer one also has the higher revision.
        session.execute(text("LOCK TABLE controls IN SHARE ROW EXCLUSIVE MODE"))
    before, moment = _terms(session), session.scalars(select(now())).one()
    former = () if at_once else _former(before, before.pace or settings, pace or settings)
    # In the milliseconds of the clock: also after a backup was restored, no old one is higher.
    revision = max(before.revision + 1, int(moment.timestamp() * 1000))
    after = Terms(revision, pace, former, at_once)
    _put(session, LIMIT, _to_json(after, moment))
    facts = {"before": str(before.pace or settings), "after": str(pace or settings)}
    audit.write(session, by, "queue limit", "queue", **facts, at_once=at_once)
    return after


def _former(before: Terms, replaced: Pace, new: Pace) -> tuple[Former, ...]:
    """Each pace once, with the longest time that it still binds; not the one that is in force."""
    left = {each.pace: each.left for each in before.former} | {replaced: replaced.limit.window}
    return tuple(Former(pace, seconds) for pace, seconds in left.items() if pace != new)


def _terms(session: Session) -> Terms:
    return read_terms(*session.execute(select(*LIMIT_SET)).one())


def read_terms(value: dict[str, Any] | None, moment: datetime) -> Terms:
    """What `LIMIT_SET` tells."""
    return _from_json(value, moment) if value else AS_SET


def _put(session: Session, name: str, value: dict[str, Any]) -> None:
    row = insert_into(session, Control).values(name=name, value=value, changed_at=now())
    new = {"value": value, "changed_at": now()}
    session.execute(row.on_conflict_do_update(index_elements=[Control.name], set_=new))


def _to_json(terms: Terms, moment: datetime) -> dict[str, Any]:
    former = [
        _pace_to_json(each.pace) | {"until": (moment + timedelta(seconds=each.left)).isoformat()}
        for each in terms.former
    ]
    pace = terms.pace and _pace_to_json(terms.pace)
    return {
        "revision": terms.revision, "pace": pace, "former": former, "at_once": terms.at_once,
    }  # fmt: skip


def _from_json(value: dict[str, Any], moment: datetime) -> Terms:
    pace = value["pace"] and _pace(value["pace"])
    former = tuple(_still_binding(value["former"], moment))
    return Terms(value["revision"], pace, former, value["at_once"])


def _still_binding(former: Iterable[dict[str, Any]], moment: datetime) -> Iterable[Former]:
    for each in former:
        left = (datetime.fromisoformat(each["until"]) - moment).total_seconds()
        if left > 0:
            yield Former(_pace(each), left)


def _pace_to_json(pace: Pace) -> dict[str, Any]:
    return {"count": pace.limit.count, "window": pace.limit.window, "spacing": pace.spacing}


def _pace(value: dict[str, Any]) -> Pace:
    return Pace(RateLimit(value["count"], value["window"]), value["spacing"])
