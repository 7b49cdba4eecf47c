"""The tables, plots and promises of the latencies."""

from collections.abc import Sequence

from benchmarks.latency.life import AFTER, BEFORE, parts
from benchmarks.latency.measuring import Measured
from benchmarks.latency.orders import A_SECOND
from benchmarks.latency.whole import POLL
from benchmarks.rounds import percentile
from benchmarks.section import Cell, Findings, Plot, Table, Target

BOUND = 0.1
TEXT = f"""
Everything runs as in production: gunicorn, a worker, a housekeeper and the scheduler as processes,
PostgreSQL with `fsync` on, an append-only Valkey, and the stand-in for Replicate, whose model
retouches real photographs. All moments are read from one clock: from the stand-in's record of its
requests, from the prediction's `completed_at`, from PostgreSQL's own record of when a transaction
was committed, and from the processes' logs. Images come alone (the next one when the last is DONE)
or in a stream of {A_SECOND:g} a second on average, which the two cores share with the stand-in and
its model. Where Replicate is polled, `POLL_INTERVAL` is {POLL:g} s, its default, and the model
takes 1 to 12 s.
"""


def findings(measured: Measured) -> Findings:
    """Return what was found."""
    return Findings(
        title="Latency",
        text=TEXT,
        targets=targets(measured),
        tables=[_latencies(measured), *_breakdowns(measured)],
        plots=_plots(measured),
        skipped=[],
    )


def targets(measured: Measured) -> list[Target]:
    """The promises, each against the 95th percentile."""
    start = _p95([each.start for each in measured.alone])
    alone = _p95([each.finish for each in measured.alone])
    stream = _p95([each.finish for each in measured.stream])
    polled = _p95([each.finish for each in measured.polled])
    return [
        Target(
            "idle queue: from POST to the create at Replicate, p95 under 100 ms",
            f"{_ms(start)} ms",
            start < BOUND,
        ),
        Target(
            "by webhook: from the prediction's end to DONE, p95 under 100 ms",
            f"{_ms(alone)} ms alone, {_ms(stream)} ms at {A_SECOND:g} a second",
            max(alone, stream) < BOUND,
        ),
        Target(
            f"by polling: the same within the poll pause ({POLL:g} s) plus 100 ms, p95",
            f"{_ms(polled)} ms",
            polled <= POLL + BOUND,
        ),
    ]


def _latencies(measured: Measured) -> Table:
    rows: list[list[Cell]] = [
        ["POST to create", "alone", *_row([each.start for each in measured.alone])],
        ["POST to create", "in a stream", *_row([each.start for each in measured.stream])],
        ["end to DONE by webhook", "alone", *_row([each.finish for each in measured.alone])],
        ["end to DONE by webhook", "in a stream", *_row([each.finish for each in measured.stream])],
        ["end to DONE by polling", "in a stream", *_row([each.finish for each in measured.polled])],
        [
            "of that: after the look that saw it",
            "in a stream",
            *_row([each.own for each in measured.polled]),
        ],
    ]
    columns = ["milliseconds", "images", "p50", "p95", "p99", "most", "measured"]
    return Table("Latencies", columns, rows)


def _row(seconds: Sequence[float]) -> list[Cell]:
    shares = (0.5, 0.95, 0.99, 1.0)
    return [*(_ms(percentile(seconds, share)) for share in shares), len(seconds)]


def _breakdowns(measured: Measured) -> list[Table]:
    before, after = parts(measured.alone, BEFORE), parts(measured.alone, AFTER)
    columns = ["median milliseconds of images alone", ""]
    return [
        Table("From POST to create", columns, [[name, _ms(part)] for name, part in before.items()]),
        Table("From end to DONE", columns, [[name, _ms(part)] for name, part in after.items()]),
    ]


def _plots(measured: Measured) -> list[Plot]:
    quick = {
        "POST to create, alone": _curve([each.start for each in measured.alone]),
        "end to DONE by webhook, alone": _curve([each.finish for each in measured.alone]),
        "the same in a stream": _curve([each.finish for each in measured.stream]),
    }
    polled = {"end to DONE by polling": _curve([each.finish for each in measured.polled])}
    return [
        Plot("latency", "Latency", "lines", "milliseconds", "% of images", quick),
        Plot(
            "latency-polled", "Latency by polling", "lines", "milliseconds", "% of images", polled
        ),
    ]


def _curve(seconds: Sequence[float]) -> list[tuple[float, float]]:
    """How many percent were done within so many milliseconds."""
    return [(_ms(percentile(seconds, each / 100)), each) for each in (0, *range(5, 96, 5), 98, 100)]


def _p95(seconds: Sequence[float]) -> float:
    return percentile(seconds, 0.95)


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 1)
