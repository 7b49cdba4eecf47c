"""The plans that an instance can be on."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan and its monthly allotment in credits. When it is an instance's turn, `weight` of its
    images are sent before the next instance's."""

    name: str
    monthly_credits: int
    weight: int = 1


PLANS = {
    plan.name: plan
    for plan in (
        Plan("free", monthly_credits=150),
        Plan("basic", monthly_credits=1_500),
        Plan("pro", monthly_credits=15_000, weight=2),
        Plan("enterprise", monthly_credits=150_000, weight=4),
    )
}
