"""Who uses the slots, for operators: the instances that wait for most, and what they got lately."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from models.caps import RUNNING
from models.clock import from_now
from models.database import reading
from models.tables import Attempt, Instance, Item
from models.turns import HELD, SERVED

LATELY = 600.0  # seconds
# The attempts that are counted at most, the newest first: with more than a thousand slots a minute
# the shares are those of a shorter while.
MOST_ATTEMPTS = 10_000


@dataclass(frozen=True, slots=True)
class Share:
    """An instance's due images, the slots that it got lately, when its last turn ended, the images
    of its that run (where it has a cap), and its cap."""

    name: str
    due: int
    slots: int
    last_served: datetime | None
    running: int | None = None
    cap: int | None = None


@dataclass(frozen=True, slots=True)
class Shares:
    """The busiest instances, the one with most due first; how many others have something due, and
    how much; and all slots that anybody got lately."""

    busiest: Sequence[Share]
    others: int
    others_due: int
    slots: int

    def of(self, share: Share) -> float:
        """Its part of all slots, from 0 to 1."""
        return share.slots / self.slots if self.slots else 0.0

    def first(self, number: int) -> "Shares":
        """The same with fewer shown."""
        rest = self.busiest[number:]
        others, due = self.others + len(rest), self.others_due + sum(each.due for each in rest)
        return Shares(self.busiest[:number], others, due, self.slots)


@reading
def shares(session: Session, busiest: int = 10) -> Shares:
    """Return the shares of so many instances."""
    instances, due = _all_of_them(session)
    rows = _busiest(session, busiest)
    slots = _slots_lately(session, [row.id for row, _running in rows])
    return Shares(
        [
            Share(row.name, row.due_items, slots.get(row.id, 0), _last(row), runs, row.max_running)
            for row, runs in rows
        ],
        instances - len(rows),
        due - sum(row.due_items for row, _running in rows),
        sum(slots.values()),
    )


def _all_of_them(session: Session) -> tuple[int, int]:
    """How many instances have something due, and how much."""
    counted = select(func.count(), func.coalesce(func.sum(Instance.due_items), 0))
    found = [session.execute(counted.where(*standing)).one() for standing in (SERVED, HELD)]
    return sum(row[0] for row in found), sum(row[1] for row in found)


def _busiest(session: Session, number: int) -> list[tuple[Instance, int | None]]:
    """Those with most due, each with what it runs if it has a cap."""
    running = case((Instance.max_running.is_not(None), RUNNING))
    longest = select(Instance, running).order_by(Instance.due_items.desc(), Instance.id)
    found = [
        (row[0], row[1])
        for standing in (SERVED, HELD)
        for row in session.execute(longest.where(*standing).limit(number))
    ]
    return sorted(found, key=lambda each: (-each[0].due_items, each[0].id))[:number]


def _slots_lately(session: Session, instance_ids: Sequence[int]) -> dict[int | None, int]:
    """The slots of each of these; of all others together under None."""
    lately = select(Attempt.item_id).where(Attempt.created_at > from_now(-LATELY))
    newest = lately.order_by(Attempt.created_at.desc()).limit(MOST_ATTEMPTS).subquery()
    whose = case((Item.instance_id.in_(instance_ids), Item.instance_id)).label("whose")
    counted = select(whose, func.count()).join(newest, newest.c.item_id == Item.id)
    return {row[0]: row[1] for row in session.execute(counted.group_by("whose"))}


def _last(instance: Instance) -> datetime | None:
    """The row begins with the year 1970, so that whoever was never served comes first."""
    return instance.last_served if instance.last_served.year > 1970 else None
