"""`retention run`: delete what is older than the retention now, or say what would be deleted."""

import click
from flask import current_app

from api import current
from api.commands.acting import acting
from api.commands.advice import Commands
from api.commands.bars import bar, size
from config.forms import parse_duration
from models import audit
from models import retention as rules
from tasks.retention import Broom, Progress, old
from tasks.retention import size as size_of

DAY = 86_400.0

retention = Commands("retention", help="Delete what is older than RESULT_RETENTION.")


class Age(click.ParamType[float]):
    """A duration of a day at least, as settings write it; in seconds."""

    name = "duration"

    def convert(
        self, value: str | float, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Refuse what is no duration, or so short that repeated orders would be taken for new."""
        try:
            seconds = parse_duration(value) if isinstance(value, str) else value
        except ValueError as error:
            self.fail(str(error), param, ctx)
        if seconds < DAY:
            self.fail("must be a day or more", param, ctx)
        return seconds


@retention.command("run")
@click.option("--older-than", type=Age(), help="Like 90d; RESULT_RETENTION if unset.")
@click.option("--dry-run", is_flag=True, help="Delete nothing, only say what would go.")
@acting
def run(older_than: float | None, dry_run: bool, actor: str) -> None:
    """Delete jobs that ended so long ago, their results, and uploads that nothing uses any more.

    The sweep does the same, a little at a time, where RESULT_RETENTION is set.
    """
    seconds = older_than or current.settings().result_retention
    if seconds is None:
        raise click.UsageError("RESULT_RETENTION is not set: say --older-than, like 90d.")
    if dry_run:
        _foretell(seconds)
        return
    done = _delete(seconds)
    facts = {"days": seconds / DAY, **done._asdict()}
    audit.record(actor, "retention run", "everybody", **facts)
    click.echo(f"Deleted {_told(done)}, and let {done.uploads} uploads expire.")


def _delete(seconds: float) -> Progress:
    broom = Broom(current.parts().storage, current_app.app_context, weighing=True)
    total = Progress()
    with bar() as shown:
        task = shown.add_task("jobs", total=rules.count_old(seconds)[0])
        for page in old(broom, seconds):
            total = Progress(*map(sum, zip(total, page, strict=True)))
            shown.update(task, completed=total.jobs)
    return total


def _foretell(seconds: float) -> None:
    jobs, images, uploads = rules.count_old(seconds)
    weights: dict[str, int] = {}
    after: int | None = 0
    with bar() as shown:
        task = shown.add_task("images", total=images)
        while after is not None:
            after, keys = rules.old_files(seconds, after)
            # Several images may show the same file.
            weights |= {key: size_of(current.parts().storage, key) for key in keys - set(weights)}
            shown.update(task, completed=len(weights))
    told = _told(Progress(jobs, images, len(weights), sum(weights.values())))
    click.echo(f"Would delete {told}, and up to {uploads} uploads. Nothing was changed.")


def _told(what: Progress) -> str:
    return f"{what.jobs} jobs, {what.images} images and {what.files} files ({size(what.bytes)})"
