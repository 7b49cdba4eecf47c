"""From outcomes to targets, tables and plots."""

from benchmarks.limiter.cases import OURS, Limit
from benchmarks.limiter.judge import lateness, lost_slots, share_of_possible, worst_window
from benchmarks.limiter.running import Outcome
from benchmarks.rounds import percentile
from benchmarks.section import Cell, Plot, Table, Target

COLUMNS = [
    "limiter", "processes", "clocks", "most in a window", "of the possible rate",
    "script calls a send", "round trips a send", "Redis CPU a send (µs)",
    "late p50 (ms)", "late p99 (ms)",
]  # fmt: skip
NOTE = (
    "Late: how long after the first moment that the limit allowed; below 0: before it. Those of "
    "Celery and BullMQ include what their queues do: they cannot be had without."
)


def targets(outcomes: list[Outcome]) -> list[Target]:
    """What is promised of ours, by all of its cases."""
    ours = [each for each in outcomes if each.case.limiter == OURS]
    alive = [each for each in ours if not each.case.deaths]
    dying = [each for each in ours if each.case.deaths]
    most = max(each.case.processes for each in alive)
    crowd = [each for each in alive if each.case.processes == most]
    return [_never_above(ours), _rate(alive), _calls(crowd, most), _deaths(dying)]


def _never_above(ours: list[Outcome]) -> Target:
    over = [worst_window(each.arrivals, each.case.limit) - each.case.limit.count for each in ours]
    sends = sum(len(each.arrivals) for each in ours)
    above = f"{max(over)} too many" if max(over) > 0 else "never above"
    return Target(
        "never more than the limit in any window, at the receiver (50 ms tolerance)",
        f"{above}, in {len(ours)} runs and {sends:,} sends",
        max(over) <= 0,
    )


def _rate(ours: list[Outcome]) -> Target:
    share = min(share_of_possible(each.arrivals, each.case.limit) for each in ours)
    return Target(
        "≥ 99.5 % of the possible rate of the limit as it is set",
        f"{share:.2%} in the slowest of {len(ours)} runs",
        share >= 0.995,
    )


def _calls(ours: list[Outcome], processes: int) -> Target:
    calls = max(each.work.scripts / each.worked_for for each in ours)
    return Target(
        f"≤ 2 script calls a grant with {processes} processes",
        f"{calls:.2f} in the worst of {len(ours)} runs",
        calls <= 2,
    )


def _deaths(ours: list[Outcome]) -> Target:
    lost = max(_lost(each) / max(1, each.deaths) for each in ours)
    deaths = sum(each.deaths for each in ours)
    return Target(
        "≤ 1 slot lost per process that dies",
        f"{lost:.2f} in the worse of {len(ours)} runs, {deaths} deaths",
        lost <= 1,
    )


def _lost(outcome: Outcome) -> int:
    return lost_slots(outcome.arrivals, outcome.case.limit, outcome.case.seconds)


def tables(outcomes: list[Outcome]) -> list[Table]:
    """One for each limit, and one of the deaths."""
    alive = [each for each in outcomes if not each.case.deaths]
    limits = list(dict.fromkeys(each.case.limit for each in alive))
    return [*(_table(limit, alive) for limit in limits), _table_of_deaths(outcomes)]


def _table(limit: Limit, outcomes: list[Outcome]) -> Table:
    rows = [_row(each) for each in outcomes if each.case.limit == limit]
    return Table(f"{limit}, as seen by the receiver", COLUMNS, rows, NOTE)


def _row(outcome: Outcome) -> list[Cell]:
    case, work, sends = outcome.case, outcome.work, max(1, outcome.worked_for)
    late = [1000 * each for each in lateness(outcome.arrivals, case.limit)] or [0.0]
    return [
        case.limiter,
        case.processes,
        "half 2 s ahead" if case.skewed else "right",
        worst_window(outcome.arrivals, case.limit),
        f"{share_of_possible(outcome.arrivals, case.limit):.1%}",
        work.scripts / sends,
        work.trips / sends,
        1e6 * work.cpu / sends,
        percentile(late, 0.5),
        percentile(late, 0.99),
    ]


def _table_of_deaths(outcomes: list[Outcome]) -> Table:
    rows: list[list[Cell]] = [
        [
            str(each.case.limit),
            each.case.processes,
            each.case.killed,
            each.deaths - each.case.killed,
            _lost(each),
            worst_window(each.arrivals, each.case.limit),
        ]
        for each in outcomes
        if each.case.deaths
    ]
    columns = [
        "limit", "processes", "killed at any moment", "died with a grant in hand", "slots lost",
        "most in a window",
    ]  # fmt: skip
    note = "A grant that its process does not send any more stays counted: that slot is lost."
    return Table("kill -9 on some of Darkroom's processes", columns, rows, note)


def plots(outcomes: list[Outcome], limit: Limit, processes: int) -> list[Plot]:
    """The fullest window and the rate of each limiter, with the limit as a series."""
    shown = [
        each
        for each in outcomes
        if not each.case.deaths and (each.case.limit, each.case.processes) == (limit, processes)
    ]
    names = list(dict.fromkeys(each.case.limiter for each in shown))
    clocks = {"clocks right": False, "half of them 2 s ahead": True}
    worst = {
        title: [
            (each.case.limiter, float(worst_window(each.arrivals, limit)))
            for each in shown
            if each.case.skewed == skewed
        ]
        for title, skewed in clocks.items()
    }
    share = {
        title: [
            (each.case.limiter, 100 * share_of_possible(each.arrivals, limit))
            for each in shown
            if each.case.skewed == skewed
        ]
        for title, skewed in clocks.items()
    }
    line = {"the limit": [(name, float(limit.count)) for name in names]}
    full = {"the limit": [(name, 100.0) for name in names]}
    label = f"{processes} processes, {limit}"
    return [
        Plot("limiter-window", f"The fullest window: {label}", "bars", "", "sends in one window",
             worst | line, "y"),
        Plot("limiter-rate", f"Share of the possible rate: {label}", "bars", "", "%",
             share | full, "y"),
    ]  # fmt: skip
