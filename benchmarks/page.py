"""docs/benchmarks.md, written from what `benchmarks/results/` holds."""

from pathlib import Path

from benchmarks.section import Cell, Result, Table

PAGE = Path(__file__).parent.parent / "docs" / "benchmarks.md"
HEAD = """# Benchmarks

Written by `make bench`, which measures all of it in a quarter of an hour on two cores; `make bench
ONLY=limiter` measures one section anew. Everything runs on 127.0.0.1 against real Valkey and
PostgreSQL and the stand-in for Replicate. What is compared was measured in the same run, in turns,
and the medians of several rounds are shown. Figures of different machines say little about each
other; the ratios do.
"""


def page(results: list[Result]) -> str:
    """Return the whole page."""
    return "\n".join([HEAD, _overview(results), *(_section(each) for each in results)])


def _overview(results: list[Result]) -> str:
    rows: list[list[Cell]] = [
        [
            f"[{r.findings.title}](#{_anchor(r.findings.title)})",
            t.promise,
            t.measured,
            _kept(t.kept),
        ]
        for r in results
        for t in r.findings.targets
    ]
    return _table(["what", "wanted", "measured", ""], rows)


def _section(result: Result) -> str:
    found = result.findings
    made = f"*{result.date}, {result.seconds:.0f} s, on {result.machine}.*"
    plots = [f"![{p.title}](images/benchmarks/{p.name}.svg)" for p in found.plots]
    skipped = [f"> Not measured: {line}" for line in found.skipped]
    parts = [
        f"## {found.title}",
        made,
        found.text.strip(),
        *skipped,
        *plots,
        *(_titled(each) for each in found.tables),
    ]
    return "\n\n".join(parts) + "\n"


def _titled(table: Table) -> str:
    note = f"\n{table.note}\n" if table.note else ""
    return f"**{table.title}**\n\n{_table(table.columns, table.rows)}{note}"


def _table(columns: list[str], rows: list[list[Cell]]) -> str:
    lines = [columns, ["---"] * len(columns), *([_text(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def _text(cell: Cell) -> str:
    return f"{cell:,.3g}" if isinstance(cell, float) and abs(cell) < 1000 else _plain(cell)


def _plain(cell: Cell) -> str:
    return cell if isinstance(cell, str) else f"{cell:,.0f}"


def _kept(kept: bool) -> str:
    return "✓" if kept else "✗ falls short"


def _anchor(title: str) -> str:
    letters = "".join(c for c in title.lower() if c.isalnum() or c in " -")
    return letters.replace(" ", "-")
