"""What tells, for little, whether a job looks different from how it did: it is asked for often, by
whoever follows jobs while they go on."""

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.database import reading
from models.tables import Instance, Job


class Pulse(NamedTuple):
    """The `version` grows with every change of a job or of its items. The rest changes when images
    of its instance that wait may have moved up: one was sent, or canceled, or put back."""

    version: int
    due_items: int
    last_served: datetime
    turns_left: int


@reading
def pulses(session: Session, job_ids: Collection[int]) -> dict[int, Pulse]:
    """The pulses of these jobs; of those whose instances may still ask for them."""
    turn = (Instance.due_items, Instance.last_served, Instance.turns_left)
    found = select(Job.id, Job.version, *turn).join(Instance, Instance.id == Job.instance_id)
    of_active = found.where(Job.id.in_(job_ids), Instance.disabled_at.is_(None))
    return {row[0]: Pulse(*row[1:]) for row in session.execute(of_active)}
