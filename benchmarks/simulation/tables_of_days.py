"""The simulated days as tables and plots."""

from collections.abc import Sequence
from statistics import median

from benchmarks.rounds import percentile
from benchmarks.section import Cell, Plot, Table
from benchmarks.simulation.beside import Beside
from benchmarks.simulation.days import Day
from benchmarks.simulation.refill import Refill
from benchmarks.simulation.told import size, span
from benchmarks.simulation.waits import CLASSES
from tasks.wake import MOST_AT_ONCE

HOUR = 3600.0


def loads(days: Sequence[Day], message_bytes: float) -> Table:
    """Queue times by the load."""
    crowd = ["most due at once", "their messages in Redis", "sent after midnight"]
    columns = ["slots that are wanted", "limit", *CLASSES, *crowd]
    return Table(
        "Time in the queue, by load: half, 95 % and 99 % of the images waited at most",
        columns,
        [_load(day, message_bytes) for day in days],
        note="Small shops order up to 30 images that day, middle ones up to 1,000. The load is that"
        " of the whole day; at 15:00 it is half as much again. A time is from the order to the"
        " image's own claim: of a job of ten, the tenth image waits ten rounds.",
    )


def _load(day: Day, message_bytes: float) -> list[Cell]:
    return [
        f"{day.load:.0%}",
        str(day.limit),
        *(_quantiles(day, name) for name in CLASSES),
        day.most_due,
        size(day.most_messages * message_bytes),
        day.at_midnight,
    ]


def _quantiles(day: Day, name: str) -> str:
    wait = day.waits[name]
    return " · ".join(span(value) for value in (wait.p50, wait.p95, wait.p99))


def ways(days: Sequence[Day]) -> Table:
    """The same day at the same limit, in other ways."""
    return Table(
        "The same day in other ways",
        ["", *CLASSES, "longest"],
        [
            [
                day.setting.name,
                *(_quantiles(day, name) for name in CLASSES),
                span(day.waits["all"].most),
            ]
            for day in days
        ],
    )


def fairness(days: Sequence[Day]) -> Table:
    """Jain's index over the day."""
    rows = [_fairness(day) for day in days if day.fairness]
    return Table(
        "Jain's index of the slots of those shops that always had something due, in ten minutes",
        [
            "slots that are wanted",
            "median",
            "worst 5 %",
            "lowest",
            "such shops, on average",
            "most",
        ],
        rows,
        note="Slots are divided by the weight of the shop's plan. 1: all got the same.",
    )


def _fairness(day: Day) -> list[Cell]:
    found = sorted(window.index for window in day.fairness)
    shops = [window.shops for window in day.fairness]
    return [
        f"{day.load:.0%}",
        f"{median(found):.4f}",
        f"{percentile(found, 0.05):.4f}",
        f"{found[0]:.4f}",
        sum(shops) / len(shops),
        max(shops),
    ]


def singles(rows: Sequence[Beside]) -> Table:
    """A single image beside thousands."""
    return Table(
        "A single image beside shops that have 1,000 each waiting (360 in 30 s)",
        ["such shops", "it waits at most", "the shop's next one", "sent before", "the last of all"],
        [
            [row.others, span(row.first), span(row.again), row.between, span(row.last)]
            for row in rows
        ],
        note="Who was served longest ago is first: a shop that has nothing else waits for the next"
        " slot. Its next image, ordered at once, waits for everybody's turn.",
    )


def refills(rows: Sequence[Refill]) -> Table:
    """Batches alone."""
    return Table(
        "Twenty batches of 1,000 and nothing else: the part of the limit that they get",
        ["limit", "messages in the queue at most", "they get"],
        [[str(row.limit), row.messages, f"{row.part:.1%}"] for row in rows],
        note=f"A batch puts {MOST_AT_ONCE} messages into the queue, and a sweep fills it up to what"
        " the limit uses until the sweep after the next one.",
    )


def by_load(days: Sequence[Day]) -> Plot:
    """The plot of the queue times."""
    series = {
        f"{name} shops, {part}": [(100 * day.load, _at_least(day, name, part)) for day in days]
        for name in CLASSES
        for part in ("p50", "p99")
    }
    title = "Time in the queue by load, a million images in a day"
    return Plot(
        "simulation-load", title, "lines", "slots that are wanted (%)", "seconds", series, log="y"
    )


def _at_least(day: Day, name: str, part: str) -> float:
    """A logarithm knows no 0: what is shorter is drawn as a hundredth of a second."""
    return max(0.01, float(getattr(day.waits[name], part)))


def by_hour(days: Sequence[Day]) -> Plot:
    """The plot of Jain's index."""
    series = {
        f"{day.load:.0%}": [(window.start / HOUR, window.index) for window in day.fairness]
        for day in days
        if day.fairness
    }
    title = "Jain's index of the slots, by load (1: all shops that wait get the same)"
    return Plot("simulation-fairness", title, "lines", "hour", "index, in ten minutes", series)


def by_size(fair: Day, plain: Day) -> Plot:
    """The plot of what the line is for."""
    series = {
        name: [(size, _at_least(day, size, "p95")) for size in CLASSES]
        for name, day in (("fair shares", fair), ("a plain queue", plain))
    }
    title = f"95 % of the images wait at most, at {fair.load:.0%} load"
    return Plot("simulation-sizes", title, "bars", "shops", "seconds", series, log="y")
