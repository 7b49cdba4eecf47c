"""Everything that is measured on real servers."""

from dataclasses import dataclass

from benchmarks.simulation.ceiling import Ceilings, ceilings
from benchmarks.simulation.compare import Comparison
from benchmarks.simulation.price import Prices, prices
from benchmarks.simulation.real import real_run
from benchmarks.simulation.scenario import FULL, QUICK
from benchmarks.simulation.stage import stage
from benchmarks.steps import Step

STEPS = 3


@dataclass(frozen=True)
class Measured:
    """All of it."""

    comparison: Comparison
    prices: Prices
    ceilings: Ceilings


def measure(quick: bool, step: Step) -> Measured:
    """Measure it, in `STEPS` steps."""
    with stage() as servers:
        step("the real run")
        comparison = Comparison.of(real_run(servers, QUICK if quick else FULL))
        step("the price of each step")
        counted = prices(servers)
        step("how much one PostgreSQL does")
        found = ceilings(servers, 0.5, (1,)) if quick else ceilings(servers, 4.0)
    return Measured(comparison, counted, found)
