"""How many images are sent before one that waits: its place in the line of the fair shares.

An instance's k-th image goes in the k-th round. Every other instance has by then been served once
a round for as long as it had something due: k times if it stands before this one in the round,
k - 1 times if behind. So of the others it is enough to know how many of them have at least so many
images due, on either side: the database counts that, and no row of another instance is read here.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from sqlalchemy import ColumnElement, case, func, select, tuple_
from sqlalchemy.orm import Session, aliased

from models.database import reading
from models.tables import Instance, Item, Status
from models.turns import SERVED

# Of an instance that has more waiting, only so many are told their place.
DEEPEST = 1000


@dataclass(frozen=True, slots=True)
class Waiting:
    """A due item. `position` is 1 for what is sent next, of all instances; `rank` counts its own
    instance's images alone."""

    item_id: int
    job_id: int
    rank: int
    position: int


@dataclass(frozen=True, slots=True)
class Crowd:
    """So many other instances, all before or all behind in the round, that have `depth` due."""

    ahead: bool
    depth: int
    instances: int


@reading
def waiting(session: Session, instance_id: int, job_ids: Sequence[int]) -> Sequence[Waiting]:
    """The due items of these jobs of an instance, the one to be sent first at first.

    Items that rest after a failure are not among them, nor any beyond the instance's first 1,000.
    """
    own = _own(session, instance_id, job_ids)
    if not own:
        return []
    # Nobody is served more often before the last of these than that one's own instance.
    depth = own[-1][2]
    places = positions(_others(session, instance_id, depth), depth)
    return [Waiting(item, job, rank, places[rank - 1]) for item, job, rank in own]


def positions(others: Iterable[Crowd], depth: int) -> list[int]:
    """The positions of an instance's first `depth` due items, in a line with these others."""
    crowds = list(others)
    before = accumulate(_served(depth, (each for each in crowds if each.ahead)))
    behind = accumulate(_served(depth, (each for each in crowds if not each.ahead)))
    behind_until_now = [0, *behind]
    return [rank + ahead + behind_until_now[rank - 1] for rank, ahead in enumerate(before, start=1)]


def _served(depth: int, crowds: Iterable[Crowd]) -> Iterator[int]:
    """How many of these are served in each round: who has `n` due is there for `n` rounds."""
    leaving = [0] * (depth + 1)
    there = 0
    for crowd in crowds:
        there += crowd.instances
        leaving[min(crowd.depth, depth)] += crowd.instances
    for gone in leaving[:depth]:
        there -= gone
        yield there


def _own(
    session: Session, instance_id: int, job_ids: Sequence[int]
) -> Sequence[tuple[int, int, int]]:
    due = select(Item.id, Item.job_id).where(
        Item.instance_id == instance_id, Item.status == Status.PENDING, Item.not_before.is_(None)
    )
    line = due.order_by(Item.id).limit(DEEPEST).subquery()
    rank = func.row_number().over(order_by=line.c.id).label("rank")
    ranked = select(line.c.id, line.c.job_id, rank).subquery()
    wanted = select(ranked).where(ranked.c.job_id.in_(job_ids)).order_by(ranked.c.rank)
    return [(row.id, row.job_id, row.rank) for row in session.execute(wanted)]


def _others(session: Session, instance_id: int, depth: int) -> list[Crowd]:
    """Who else stands in the round, at most `depth` of each one's images counted."""
    me = aliased(Instance)
    ahead: ColumnElement[bool] = tuple_(Instance.last_served, Instance.id) < tuple_(
        me.last_served, me.id
    )
    counted = case((Instance.due_items < depth, Instance.due_items), else_=depth)
    others = (
        select(ahead.label("ahead"), counted.label("depth"), func.count().label("instances"))
        .join(me, me.id == instance_id)
        .where(*SERVED, Instance.id != instance_id)
        .group_by("ahead", "depth")
    )
    return [Crowd(bool(row.ahead), row.depth, row.instances) for row in session.execute(others)]
