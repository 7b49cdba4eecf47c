"""The limiter, beside those that a user would pick instead."""

from benchmarks.limiter import bullmq, cases, running
from benchmarks.limiter.report import plots, tables, targets
from benchmarks.section import Findings
from benchmarks.steps import steps

TEXT = """
As many processes as said send as fast as their limiter lets them to one server, which notes each
arrival on its own monotonic clock and answers. In skewed runs the wall clocks of half of the
processes are 2 s ahead. The window is judged with 50 ms of tolerance for the way to the server. The
possible rate is that of the limit as it is set: every send is compared with the one that is a
whole number of rounds behind it, and a shortfall of 0.1 % is 3 ms in each window of 3 s. What Redis
did is counted from half a round after the first send on, over everything that clients asked of it.

`limits`, `pyrate-limiter` and dramatiq take the time of whoever asks. Celery's `rate_limit` is each
worker's own. BullMQ counts windows that begin with a job, so two bursts may meet. Each limiter is
used as its documentation says; what it does not know (a spacing) is not asked of it.
"""


def run(quick: bool) -> Findings:
    """Measure all limiters; batches of cases that mostly wait run side by side."""
    skipped, with_bullmq = [], True
    try:
        bullmq.install()
    except bullmq.NotHere as missing:
        skipped, with_bullmq = [str(missing)], False
    batches = cases.quick(with_bullmq) if quick else [*cases.ours(), *cases.peers(with_bullmq)]
    outcomes = []
    with steps("limiter", len(batches)) as step:
        for batch in batches:
            step("; ".join(dict.fromkeys(each.limiter for each in batch)))
            outcomes += running.run(batch)
    shown = max(
        (each.case for each in outcomes), key=lambda case: (case.processes, case.limit.count)
    )
    return Findings(
        title="The limiter",
        text=TEXT,
        targets=targets(outcomes),
        tables=tables(outcomes),
        plots=plots(outcomes, shown.limit, shown.processes),
        skipped=skipped,
    )
