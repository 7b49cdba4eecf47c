"""Tables for people, tab-separated lines for programs: whoever reads decides."""

from collections.abc import Iterable
from datetime import datetime

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

COLOURS = {
    "PENDING": "yellow",
    "RUNNING": "cyan",
    "DONE": "green",
    "FAILED": "red",
    "CANCELED": "bright_black",
}


def show(columns: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    """Print rows under their columns' names; what is no terminal gets one plain line a row."""
    console = Console()
    if not console.is_terminal:
        for row in [columns, *rows]:
            click.echo("\t".join(plain(value) for value in row))
        return
    table = Table(*columns, header_style="bold", box=None, pad_edge=False)
    for row in rows:
        table.add_row(*(Text(text := plain(v), COLOURS.get(text, "")) for v in row))
    console.print(table)


def plain(value: object) -> str:
    """Control characters in a shop's own texts would move the operator's cursor or break a line."""
    if value is None:
        return "-"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}Z"
    return "".join(sign if sign.isprintable() else " " for sign in str(value))


def seconds(number: float) -> str:
    """A duration as people say it: 12s, 3m 5s, 2h 4m, 3d 1h."""
    whole = round(number)
    if whole < 60:
        return f"{whole}s"
    for size, unit, smaller, part in ((86400, "d", 3600, "h"), (3600, "h", 60, "m")):
        if whole >= size:
            return f"{whole // size}{unit} {whole % size // smaller}{part}"
    return f"{whole // 60}m {whole % 60}s"
