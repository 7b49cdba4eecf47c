"""`reconcile`: whether every promise holds in the rows, and what to do where one does not.

It only reads, in short transactions, so it may run beside a busy service at any time.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict

import click
from flask.cli import with_appcontext
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from api import current
from api.commands.advice import explained
from models import controls, invariants
from models.invariants import Finding, Page, Patience
from tasks.limiter import LimiterUnavailable
from tasks.stored import missing

# From so many rows on it takes long enough for a bar.
LARGE = 20_000
FOUND = 1


class NotChecked(click.ClickException):
    """It could not be looked at, which says nothing about what is in it."""

    exit_code = 2


@click.command("reconcile")
@click.option("--storage", is_flag=True, help="Also look for every result in the storage.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, the last sums up.")
@with_appcontext
def reconcile(storage: bool, as_json: bool) -> None:
    """Check every promise on a live database; nothing is changed.

    The exit code is 0 when all is well, 1 when something was found, 2 when it could not be checked.
    """
    rows = found = 0
    with explained(NotChecked), _bar() as bar:
        for page in _pages(bar, storage):
            rows += page.rows
            found += len(page.findings)
            if page.findings:
                bar.stop()
                _print(page.findings, as_json)
                bar.start()
    _sum_up(rows, found, as_json)
    if found:
        raise click.exceptions.Exit(FOUND)


def _bar() -> Progress:
    """On standard error, which is a terminal or shows nothing; standard output has the findings."""
    console = Console(stderr=True)
    large = console.is_terminal and sum(invariants.sizes().values()) > LARGE
    return Progress(
        TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn(),
        console=console, transient=True, disable=not large, redirect_stdout=False,
        redirect_stderr=False,
    )  # fmt: skip


def _pages(bar: Progress, storage: bool) -> Iterator[Page]:
    """The pages of every look, while the bar says how far it is by id."""
    sizes = invariants.sizes()
    ask = (lambda keys: missing(current.parts().storage, keys)) if storage else None
    for name, look in invariants.looks(_patience(), ask).items():
        task = bar.add_task(name, total=sizes.get(name))
        for page in invariants.follow(look):
            yield page
            bar.update(task, completed=page.last if isinstance(page.last, int) else None)
        bar.update(task, total=1, completed=1)
    if storage:
        yield from _litter()


def _litter() -> Iterator[Page]:
    for keys in current.parts().storage.stored_keys():
        yield Page(None, len(keys), invariants.unknown_results(keys))


def _patience() -> Patience:
    """What is paused or has no limiter may stand still: `queue status` tells why."""
    settings = current.settings()
    try:
        state = current.parts().limiter.state()
        paused = state.paused_for > 0 or controls.paused() is not None
        window = state.window
    except LimiterUnavailable:
        click.echo("Redis does not answer: whether the queue stands still is not told.", err=True)
        paused, window = True, 0.0
    idle = max(invariants.LATE, 2 * window)
    return Patience(settings.waiting_expires_after, None if paused else idle)


def _print(findings: list[Finding], as_json: bool) -> None:
    for finding in findings:
        click.echo(json.dumps(asdict(finding)) if as_json else str(finding))


def _sum_up(rows: int, found: int, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"rows": rows, "findings": found}))
    elif found:
        click.echo(f"{found} found wrong in {rows} rows. Nothing was changed.")
    else:
        click.echo(f"All is well in {rows} rows.")
