"""How many images are sent before one that waits: its place in the line of the fair shares.

The instances take turns, of as many images as their plans' weights. When an instance's turn comes
for the n-th time, every other one has had n turns if it stands before this one in the line, n - 1
if behind, for as long as it had something due. So of the others it is enough to know how many of
them have at least so many images due, with which weight, on either side: the database counts that,
and no row of another instance is read here.

Of the others' caps nothing is known here: nobody can tell when what runs will settle. Their images
count as if they had none, so that nothing is sent later than its place says.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    Select,
    bindparam,
    case,
    func,
    select,
    tuple_,
)
from sqlalchemy.orm import aliased

from config.plans import PLANS
from models import caps
from models.database import lookup
from models.tables import Instance, Item, Status
from models.turns import HELD, SERVED

# Of an instance that has more waiting, only so many are told their place.
DEEPEST = 1000

WEIGHT = case({plan.name: plan.weight for plan in PLANS.values()}, value=Instance.plan, else_=1)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A due item. `position` is 1 for what is sent next, of all instances; None where the cap of
    its own instance keeps it back for longer than can be told. `rank` counts its own instance's
    images alone."""

    item_id: int
    job_id: int
    rank: int
    position: int | None


@dataclass(frozen=True, slots=True)
class Turns:
    """How many images of an instance are sent in its next turn, and in each one after that."""

    first: int = 1
    weight: int = 1

    def number(self, rank: int) -> int:
        """The turn, from 0, in which its image of that rank, from 1, is sent."""
        return max(0, -(-(rank - self.first) // self.weight))


@dataclass(frozen=True, slots=True)
class Crowd:
    """So many other instances, all before or all behind in the line, that have `depth` due."""

    ahead: bool
    depth: int
    instances: int
    turns: Turns = Turns()


@lookup
def waiting(connection: Connection, instance_id: int, job_ids: Sequence[int]) -> Sequence[Waiting]:
    """The due items of these jobs of an instance, the one to be sent first at first.

    Items that rest after a failure are not among them, nor any beyond the instance's first 1,000.
    """
    facts = {"instance_id": instance_id}
    own = connection.execute(_OWN, facts | {"job_ids": job_ids}).all()
    if not own:
        return []
    depth = own[-1].rank
    turns, room = _turns(connection, instance_id, depth)
    # Nobody else gets more turns before the last of these than that one's own instance.
    others = _others(connection, instance_id, turns.number(depth) + 1)
    found = positions(others, depth, turns)
    return [
        Waiting(item, job, rank, found[rank - 1] if rank <= room else None)
        for item, job, rank in own
    ]


def positions(others: Iterable[Crowd], depth: int, turns: Turns = Turns()) -> list[int]:
    """The positions of an instance's first `depth` due items, in a line with these others."""
    crowds = list(others)
    last = turns.number(depth) + 1
    before = list(accumulate(_served(last, (each for each in crowds if each.ahead))))
    behind = [0, *accumulate(_served(last, (each for each in crowds if not each.ahead)))]
    numbers = (turns.number(rank) for rank in range(1, depth + 1))
    return [rank + before[n] + behind[n] for rank, n in enumerate(numbers, start=1)]


def _served(turns: int, crowds: Iterable[Crowd]) -> Iterator[int]:
    """How many images of these are sent in each turn: the difference from one turn to the next is
    known for each crowd without a look at every turn."""
    change = [0] * (turns + 1)

    def send(images: int, start: int, end: int) -> None:
        change[min(start, turns)] += images
        change[min(end, turns)] -= images

    for each in crowds:
        first = min(each.depth, each.turns.first)
        whole, rest = divmod(each.depth - first, each.turns.weight)
        send(each.instances * first, 0, 1)
        send(each.instances * each.turns.weight, 1, 1 + whole)
        send(each.instances * rest, 1 + whole, 2 + whole)
    return accumulate(change[:turns])


def _turns(connection: Connection, instance_id: int, depth: int) -> tuple[Turns, int]:
    """An instance's turns, and how many of its first `depth` images its cap lets go now."""
    first, weight, free = connection.execute(_TURNS, {"instance_id": instance_id}).one()
    return Turns(first, weight), depth if free is None else max(0, free)


def _others(connection: Connection, instance_id: int, turns: int) -> list[Crowd]:
    """Who else stands in the line, with at most so many turns of each one's images."""
    facts = {"instance_id": instance_id, "turns": turns}
    rows = [row for standing in _OTHERS for row in connection.execute(standing, facts)]
    return [
        Crowd(bool(row.ahead), row.depth, row.instances, Turns(row.first, row.weight))
        for row in rows
    ]


# To put these together costs more than to run them: it is done once.


def _own() -> Select[Any]:
    """The items of some jobs, and the ranks that they have among all due items of the instance."""
    due = select(Item.id, Item.job_id).where(
        Item.instance_id == bindparam("instance_id"),
        Item.status == Status.PENDING,
        Item.not_before.is_(None),
    )
    line = due.order_by(Item.id).limit(DEEPEST).subquery()
    rank = func.row_number().over(order_by=line.c.id).label("rank")
    ranked = select(line.c.id, line.c.job_id, rank).subquery()
    wanted = ranked.c.job_id.in_(bindparam("job_ids", expanding=True))
    return select(ranked).where(wanted).order_by(ranked.c.rank)


def _next_turn() -> ColumnElement[int]:
    """How many images the next turn has: what is left of the one that goes on, or a whole one."""
    return case((Instance.turns_left > 0, Instance.turns_left), else_=WEIGHT)


def _standing(*where: ColumnElement[bool]) -> Select[Any]:
    """The other instances that stand there, those that are alike counted together."""
    me = aliased(Instance)
    ahead: ColumnElement[bool] = tuple_(Instance.last_served, Instance.id) < tuple_(
        me.last_served, me.id
    )
    most = WEIGHT * bindparam("turns", type_=Integer)
    counted = case((Instance.due_items < most, Instance.due_items), else_=most)
    facts = {
        "ahead": ahead, "depth": counted, "first": _next_turn(), "weight": WEIGHT,
    }  # fmt: skip
    named = [column.label(name) for name, column in facts.items()]
    mine = me.id == bindparam("instance_id")
    others = select(*named, func.count().label("instances")).join(me, mine)
    return others.where(Instance.id != bindparam("instance_id"), *where).group_by(*facts)


_OWN = _own()
_FREE = case((Instance.max_running.is_not(None), Instance.max_running - caps.RUNNING))
_TURNS = select(_next_turn(), WEIGHT, _FREE).where(Instance.id == bindparam("instance_id"))
_OTHERS = (_standing(*SERVED), _standing(*HELD))
