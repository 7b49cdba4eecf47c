"""A real run's diary, read from the rows that it left."""

from datetime import datetime

from sqlalchemy import func, select

from benchmarks.simulation.diary import RETRY, Diary
from benchmarks.simulation.world import Order
from models.database import db
from models.tables import Attempt, Item


def orders() -> list[Order]:
    """The jobs, in seconds since the first claim; what was there before it came at 0."""
    began = _first_claim()
    jobs = select(func.min(Item.created_at), Item.instance_id, func.count()).group_by(
        Item.job_id, Item.instance_id
    )
    rows = db.session.execute(jobs.order_by(Item.job_id)).all()
    db.session.rollback()
    return [Order(_since(began, at), shop, images) for at, shop, images in rows]


def diary() -> Diary:
    """The claims, by the attempts that they made."""
    began = _first_claim()
    found = Diary()
    found.ordered(orders())
    facts = (Attempt.created_at, Attempt.ended_at, Item.instance_id, Item.created_at, Item.id)
    made = select(*facts).join(Item, Item.id == Attempt.item_id)
    rows = db.session.execute(made.order_by(Attempt.created_at, Attempt.id)).all()
    db.session.rollback()
    ended: dict[int, datetime | None] = {}
    for claimed, over, shop, ordered, item in rows:
        at = _since(began, claimed)
        if item in ended:
            found.due.append((_since(began, ended[item]), shop, 1))
        found.claims.add(at, shop, RETRY if item in ended else at - _since(began, ordered))
        ended[item] = over
    return found


def _first_claim() -> datetime:
    began: datetime | None = db.session.scalar(select(func.min(Attempt.created_at)))
    assert began is not None
    return began


def _since(began: datetime, moment: datetime | None) -> float:
    assert moment is not None
    return max(0.0, (moment - began).total_seconds())
