"""Each instance's turn against its plan, and whether it is held as its cap says."""

from collections.abc import Iterator

from sqlalchemy import select
from sqlalchemy.orm import Session

from config.plans import PLANS
from models.caps import RUNNING
from models.clock import age
from models.invariants.pages import Finding, Span
from models.tables import Instance

# A cap that was changed at the very moment at which an image settled is set right by a sweep.
LATE = 300.0

TURN = "Nothing is wrong with its images: set turns_left to 0."
HOLD = "Set its caps again: instances cap NAME."


def turns(session: Session, instances: Span) -> Iterator[Finding]:
    """What is wrong with the turns and holds of these instances."""
    facts = select(Instance, age(Instance.held_at), RUNNING)
    for instance, held_for, running in session.execute(facts.where(instances.holds(Instance.id))):
        where = f"instance {instance.id} {instance.name!r}"
        longest = PLANS[instance.plan].weight - 1
        if not 0 <= instance.turns_left <= longest:
            expected = f"0 to {longest} images left of its turn"
            yield Finding("turn", where, expected, f"{instance.turns_left}", TURN)
        yield from _hold(instance, where, held_for, running)


def _hold(
    instance: Instance, where: str, held_for: float | None, running: int
) -> Iterator[Finding]:
    cap = instance.max_running
    full = cap is not None and not instance.disabled_at and running >= cap
    if full and held_for is None:
        yield Finding("not_held", where, f"held with {running} of {cap} images running", "served",
                      HOLD)  # fmt: skip
    if held_for is not None and not full and held_for > LATE:
        found = f"held for {held_for:.0f} s with {running} running"
        yield Finding("held_in_vain", where, "served", found, HOLD)
