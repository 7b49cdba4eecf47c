"""What the figures of small and large databases say."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks.growth.operation import Operation, Part
from benchmarks.section import Plot, Table, Target

WITHIN = 1.3


@dataclass(frozen=True)
class Growth:
    """An operation on one kind of database: milliseconds round by round, and pages, of the small
    one and of the large one."""

    operation: Operation
    database: str
    small: Sequence[float]
    large: Sequence[float]
    pages_small: float
    pages_large: float

    @property
    def ratio(self) -> float:
        """How much longer it takes on the large one: the median of the rounds, each of which has
        asked both within milliseconds."""
        return median(big / little for little, big in zip(self.small, self.large, strict=True))


def targets(grown: Sequence[Growth]) -> list[Target]:
    """Each part on each database, by its worst operation."""
    found = []
    for part in Part:
        for database in dict.fromkeys(each.database for each in grown):
            mine = [
                each for each in grown if (each.operation.part, each.database) == (part, database)
            ]
            worst = max(mine, key=lambda each: each.ratio)
            told = f"{worst.ratio:.2f} times at most ({worst.operation.name})"
            found.append(Target(_promise(part, database), told, worst.ratio <= WITHIN))
    return found


def _promise(part: Part, database: str) -> str:
    return f"{part}, {database}: within {WITHIN} times with a thousand times the images"


def bounded(pages: Mapping[str, int], page: int) -> Target:
    """No step of a sweep loads more than a page."""
    step = max(pages, key=lambda name: pages[name])
    told = f"{pages[step]} rows at most ({step})"
    promise = f"a sweep that has everything to do loads no more than {page} rows at once"
    return Target(promise, told, pages[step] <= page)


def times(grown: Sequence[Growth], database: str) -> Table:
    """Milliseconds and pages of each operation."""
    columns = ["", "small, ms", "large, ms", "times", "small, pages", "large, pages"]
    rows = [
        [
            each.operation.name,
            f"{median(each.small):.2f}",
            f"{median(each.large):.2f}",
            f"{each.ratio:.2f}",
            f"{each.pages_small:.0f}",
            f"{each.pages_large:.0f}",
        ]
        for each in grown
        if each.database == database
    ]
    return Table(f"Growth on {database}", columns, [list(row) for row in rows], NOTES[database])


NOTES = {
    "PostgreSQL": "Pages: of 8 kB, in its cache or not, with those of indexes, foreign keys and"
    " its catalogue.",
    "SQLite": "Pages: of 4 kB, read anew by a connection with an empty cache.",
}


def plot(grown: Sequence[Growth]) -> Plot:
    """A bar of each operation and database."""
    series: dict[str, list[tuple[str, float]]] = {}
    for each in grown:
        point = (each.operation.name, round(each.ratio, 2))
        series.setdefault(each.database, []).append(point)
    title = "How much longer with 1,000,000 images than with 1,000"
    return Plot("growth", title, "rows", "times as long", "", series)
