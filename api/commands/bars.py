"""A bar for what takes a while: on a terminal alone."""

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn


def bar() -> Progress:
    """On standard error, which is a terminal or shows nothing; it vanishes at the end."""
    console = Console(stderr=True)
    return Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
        console=console, transient=True, disable=not console.is_terminal, redirect_stdout=False,
        redirect_stderr=False,
    )  # fmt: skip


def size(number: int) -> str:
    """Bytes as people say them: 512 B, 3.4 MB."""
    if number < 1000:
        return f"{number} B"
    for power, unit in ((9, "GB"), (6, "MB")):
        if number >= 10**power:
            return f"{number / 10**power:.1f} {unit}"
    return f"{number / 1000:.1f} kB"
