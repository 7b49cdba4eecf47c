"""What one benchmark found: promises with what was measured, tables and plots."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
Cell = str | int | float


@dataclass(frozen=True)
class Target:
    """One figure that was promised: `promise` and `measured` are texts, for the reader."""

    promise: str
    measured: str
    kept: bool


@dataclass(frozen=True)
class Table:
    """Rows under a heading; `note` says what a reader would ask."""

    title: str
    columns: list[str]
    rows: list[list[Cell]]
    note: str = ""


@dataclass(frozen=True)
class Plot:
    """A picture of some series of points; `kind` is "bars" or "rows" (x are names, below bars or
    beside them) or "lines" (numbers).

    `name` is the file's, without its ending; units stand in the labels. `log` are the axes ("x",
    "y", "xy" or none) that are logarithmic.
    """

    name: str
    title: str
    kind: str
    x_label: str
    y_label: str
    series: dict[str, list[tuple[Any, float]]]
    log: str = ""


@dataclass(frozen=True)
class Findings:
    """What a benchmark returns; `text` says how it was measured, in Markdown, without headings.

    `skipped` are lines on what could not be measured here and what to install for it.
    """

    title: str
    text: str
    targets: list[Target]
    tables: list[Table]
    plots: list[Plot]
    skipped: list[str]


@dataclass(frozen=True)
class Result:
    """Findings with where and when they were made."""

    name: str
    machine: str
    date: str
    seconds: float
    findings: Findings

    def write(self, folder: Path = RESULTS) -> None:
        """Keep it in that folder, in place of what was found before."""
        folder.mkdir(exist_ok=True)
        (folder / f"{self.name}.json").write_text(
            json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n"
        )


def stored(name: str, folder: Path = RESULTS) -> Result | None:
    """Return what was found last by the benchmark of that name; None if it never ran."""
    file = folder / f"{name}.json"
    if not file.exists():
        return None
    row: dict[str, Any] = json.loads(file.read_text())
    found: dict[str, Any] = row.pop("findings")
    made: dict[str, Callable[..., Any]] = {"targets": Target, "tables": Table, "plots": Plot}
    found |= {key: [make(**each) for each in found[key]] for key, make in made.items()}
    return Result(**row, findings=Findings(**found))
