"""What a person sees: spinners and a progress bar on a terminal, plain lines elsewhere."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn
from rich.text import Text


class JobBar:
    """The progress of one job."""

    def __init__(self, console: Console, total: int) -> None:
        self._console = console
        self._said = ""
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        self.progress = Progress(*columns, console=console, disable=not console.is_terminal)
        self._task: TaskID = self.progress.add_task("The job", total=total)

    def show(self, line: str, final_images: int) -> None:
        """Move the bar; elsewhere print the line when it is a new one."""
        self.progress.update(self._task, description=line, completed=final_images)
        if not self._console.is_terminal and line != self._said:
            self._console.print(line, highlight=False, markup=False)
        self._said = line


class Screen:
    """Everything that the sandbox prints."""

    def __init__(self) -> None:
        # Addresses and tokens must come out whole, however narrow what reads them thinks it is.
        self._console = Console(highlight=False, markup=False, soft_wrap=True)

    def say(self, line: str, style: str = "") -> None:
        """Print one line."""
        self._console.print(Text(line, style))

    @contextmanager
    def doing(self, what: str) -> Iterator[None]:
        """Show that something takes its time."""
        if not self._console.is_terminal:
            self.say(f"{what} …")
            yield
            return
        with self._console.status(f"{what} …"):
            yield
        self.say(f"✓ {what}", "green")

    @contextmanager
    def job(self, total: int) -> Iterator[JobBar]:
        """Show a bar while a job runs."""
        bar = JobBar(self._console, total)
        with bar.progress:
            yield bar

    def table(self, rows: list[tuple[str, str]]) -> None:
        """Print names and values, a line each that is never cut: they are there to be copied."""
        width = max(len(name) for name, _value in rows) + 2
        for name, value in rows:
            self._console.print(Text.assemble((name.ljust(width), "bold"), value))
