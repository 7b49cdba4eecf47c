"""A million images in a day: simulated, checked against a real run, and what it needs.

The reasoning is docs/scaling.md.
"""

from benchmarks.section import Findings, Plot, Table
from benchmarks.simulation import measured, tables_of_days, tables_of_needs, tables_of_runs
from benchmarks.simulation.measured import Measured, measure
from benchmarks.simulation.needs import DAY, Image
from benchmarks.simulation.simulated import Simulated, simulate
from benchmarks.steps import steps

TEXT = """
A discrete-event simulation plays a day of a million images of 10,000 shops (the n-th largest orders
an n-th of what the largest does; 30 % of the images come in batches of 1,000, 50 % in jobs of ten,
20 % one by one; half as much again at 15:00 as on average, half as much at 3:00; 2 % of the
predictions fail and are tried again). The line is the program's: who was served longest ago is
first, a turn is as many images as the plan weighs, caps take a shop out of the line. So is the
limiter's rule. What the simulation says is believed only as far as it foretells a real run: three
workers, a housekeeper, PostgreSQL and Valkey get the orders of ten shops at 50 in 3 s, and the
simulation gets the very same orders. [scaling.md](scaling.md) draws the conclusions.
"""


def run(quick: bool) -> Findings:
    """Simulate, measure, and put together what follows."""
    with steps("simulation", 1 + measured.STEPS) as step:
        step("the simulated days")
        played = simulate(quick)
        found = measure(quick, step)
    return Findings(
        title="A million images a day",
        text=TEXT,
        targets=[*found.comparison.targets(), *played.targets()],
        tables=_tables(played, found),
        plots=_plots(played),
        skipped=[],
    )


def _tables(played: Simulated, found: Measured) -> list[Table]:
    real = found.comparison.real
    image = Image.of(played.usual, real, found.prices.steps[0], found.ceilings)
    rate = played.usual.setting.images / DAY
    met = tables_of_needs.bottlenecks(image, played.usual, played.polled, found.ceilings)
    return [
        tables_of_days.loads(played.loads, found.prices.message_bytes),
        tables_of_days.ways(played.ways),
        tables_of_days.fairness(played.loads),
        tables_of_days.singles(played.singles),
        tables_of_days.refills(played.refills),
        tables_of_runs.compared(found.comparison),
        tables_of_runs.steps(found.prices.steps),
        tables_of_runs.totals(real),
        tables_of_runs.most(found.ceilings),
        tables_of_needs.needed(image, [rate, 2 * rate, 10 * rate]),
        tables_of_needs.ends(met),
    ]


def _plots(played: Simulated) -> list[Plot]:
    return [
        tables_of_days.by_load(played.loads),
        tables_of_days.by_hour(played.loads[-3:]),
        tables_of_days.by_size(played.usual, played.plain),
    ]
