"""The progress bar of a benchmark."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

Step = Callable[[str], None]


@contextmanager
def steps(title: str, total: int) -> Iterator[Step]:
    """Show a bar of `total` steps; call the function with what begins at each of them."""
    columns = (
        TextColumn("{task.description:<28}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[now]}"),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task(title, total=total, now="")
        begun = 0

        def step(now: str) -> None:
            nonlocal begun
            progress.update(task, completed=begun, now=now)
            begun += 1

        yield step
        progress.update(task, completed=total, now="")
