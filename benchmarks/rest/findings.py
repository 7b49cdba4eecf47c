"""What the rounds mean: the promises, the tables and the plot."""

from collections.abc import Mapping

from benchmarks.rest.stage import CONNECTIONS, Round
from benchmarks.rest.ways import (
    APPLY,
    BARE,
    CREATE,
    DARKROOM,
    PAGE,
    PIPELINE,
    READ,
    TAGGED,
    TAGGED_PAGE,
    named,
)
from benchmarks.section import Cell, Findings, Plot, Table, Target

Figures = Mapping[str, Round]

TEXT = f"""
{CONNECTIONS} connections that are kept alive, each of a shop of its own with one request at a time,
from a process of its own that costs next to nothing. The API runs as in production: gunicorn with
two processes of 28 threads; every request is authenticated, counted in Redis against its shop's
limit, checked and logged. The bare views (`benchmarks/rest/bare.py`) run under the same gunicorn:
Flask and SQLAlchemy core, with the same rows, the same messages, and nothing more. Clients,
servers, database and broker share the same cores.

Judged are the requests a second, on PostgreSQL. The processor time that one request takes the
processes of gunicorn is the steadier figure and stands beside them.
"""
COLUMNS = ["what", "whose", "requests/s", "p50 ms", "p99 ms", "CPU ms", "CPU ms behind it"]


def findings(measured: Mapping[str, Figures]) -> Findings:
    """Put together what was measured, by database; the first is judged."""
    judged = next(iter(measured))
    return Findings(
        title="The API",
        text=TEXT,
        targets=targets(measured[judged]),
        tables=[_table(database, figures) for database, figures in measured.items()],
        plots=[_plot(judged, measured[judged])],
        skipped=[],
    )


def targets(figures: Figures) -> list[Target]:
    """What was promised, and what was measured."""
    return [
        _share(figures, CREATE, APPLY, 100),
        _share(figures, CREATE, PIPELINE, 55),
        _share(figures, READ, BARE, 70),
        _share(figures, PAGE, BARE, 70),
        _cheaper(figures, TAGGED, READ),
        _cheaper(figures, TAGGED_PAGE, PAGE),
    ]


def _share(figures: Figures, what: str, whose: str, wanted: int) -> Target:
    ours, theirs = figures[named(what, DARKROOM)], figures[named(what, whose)]
    share = 100 * ours.rate / theirs.rate
    return Target(
        f"{what}: at least {wanted} % of the {whose}",
        f"{share:.0f} % ({ours.rate:.0f}/s against {theirs.rate:.0f}/s; {1000 * ours.cpu:.2f} ms"
        f" of processor time against {1000 * theirs.cpu:.2f} ms)",
        share >= wanted,
    )


def _cheaper(figures: Figures, tagged: str, plain: str) -> Target:
    short, whole = figures[named(tagged, DARKROOM)], figures[named(plain, DARKROOM)]
    return Target(
        f"{tagged}: cheaper than the 200",
        f"{short.rate:.0f}/s against {whole.rate:.0f}/s; {1000 * short.cpu:.2f} ms of processor"
        f" time against {1000 * whole.cpu:.2f} ms",
        short.rate > whole.rate and short.cpu < whole.cpu,
    )


def _table(database: str, figures: Figures) -> Table:
    rows: list[list[Cell]] = [
        [*name.split(": "), f.rate, *(1000 * each for each in (f.p50, f.p99, f.cpu, f.behind_cpu))]
        for name, f in figures.items()
    ]
    client = max(1000 * each.client_cpu for each in figures.values())
    note = (
        "A job has ten images. Processor time is that of one request, of gunicorn's processes and"
        f" of the database and Redis behind them; the client takes {client:.2f} ms at the most."
    )
    return Table(f"Requests on {database}", COLUMNS, rows, note)


def _plot(database: str, figures: Figures) -> Plot:
    """One bar for each way, those of one thing side by side."""
    shown = (CREATE, READ, PAGE, TAGGED, TAGGED_PAGE)
    series = {
        whose: [(what, figures[named(what, whose)].rate) for what in shown
                if named(what, whose) in figures]
        for whose in (DARKROOM, BARE, APPLY, PIPELINE)
    }  # fmt: skip
    title = f"Requests a second on {database}, {CONNECTIONS} connections"
    return Plot("rest", title, "bars", "", "requests/s", series)
