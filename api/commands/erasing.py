"""`instances erase`: delete whatever a shop gave and got, and keep nothing but its numbers."""

import click
from flask import current_app

from api import current
from api.commands.acting import acting
from api.commands.advice import SEE_INSTANCES, advise
from api.commands.bars import bar, size
from api.commands.instances import instances
from api.commands.output import seconds as told_seconds
from api.commands.output import show
from models import accounts, controls, erasing, lifecycle
from models.erasing import Obstacles, StillNeeded
from models.tables import Instance
from tasks.erasing import erase as pages
from tasks.retention import Broom, Progress

# As far back as Replicate's list is compared with the attempts, and half as much again.
QUIET_SECONDS = 900.0


@instances.command("erase")
@click.argument("name")
@click.option(
    "--yes-erase", "said", metavar="NAME", help="The name once more: it cannot be undone."
)
@click.option("--dry-run", is_flag=True, help="Change nothing, only say what would go.")
@acting
def erase(name: str, said: str | None, dry_run: bool, actor: str) -> None:
    """Disable an instance and delete its jobs, images, uploads, presets and webhooks for good.

    Its ledger and its counts by day stay, without its name. It may be broken off and run again.
    """
    with advise(SEE_INSTANCES):
        instance = accounts.find(name)
    if dry_run:
        _foretell(instance)
        return
    if said != name:
        raise click.UsageError(f"To erase {name} for good, say --yes-erase {name} as well.")
    _stop(instance, actor)
    _refuse_if_needed(name, _obstacles(instance))
    _erase(instance, actor)


def _stop(instance: Instance, actor: str) -> None:
    if instance.disabled_at is None:
        accounts.disable(instance.name, actor)
        click.echo(f"{instance.name} is disabled.", err=True)
    while lifecycle.cancel_waiting(instance.id):
        pass


def _obstacles(instance: Instance) -> Obstacles:
    """The limiter looks back as far as any limit that binds: an operator's may be a long one."""
    terms = controls.terms()
    paces = [each.pace for each in terms.former] + ([terms.pace] if terms.pace else [])
    limits = [current.settings().replicate_rate_limit, *(pace.limit for pace in paces)]
    window = max(limit.window for limit in limits)
    return erasing.obstacles(instance.id, max(QUIET_SECONDS, 2 * window))


def _refuse_if_needed(name: str, obstacles: Obstacles) -> None:
    if reason := _reason(obstacles):
        raise click.ClickException(f"Nothing of {name} was erased: {reason}, then run this again.")


def _reason(obstacles: Obstacles) -> str | None:
    """What to wait for, as the second half of a sentence."""
    if obstacles.unfinished:
        return (
            f"{obstacles.unfinished} of its images are not final. Wait until Replicate has made"
            " them, or cancel them (jobs cancel)"
        )
    if obstacles.strays:
        return f"{obstacles.strays} of its predictions are being canceled. Wait a minute"
    if obstacles.quiet_in > 0:
        return (
            "its last image or upload is too new, and the limiter and Replicate's list still need"
            f" its rows. Wait {told_seconds(obstacles.quiet_in + 1)}"
        )
    return None


def _foretell(instance: Instance) -> None:
    show(("what", "rows"), erasing.left(instance.id).items())
    reason = _reason(_obstacles(instance))
    click.echo(f"It could not be erased now: {reason}." if reason else "Nothing was changed.")


def _erase(instance: Instance, actor: str) -> None:
    broom = Broom(current.parts().storage, current_app.app_context, weighing=True)
    total = Progress()
    with bar() as shown:
        task = shown.add_task("images", total=erasing.left(instance.id)["images"])
        for page in pages(broom, instance.id):
            total = Progress(*map(sum, zip(total, page, strict=True)))
            shown.update(task, completed=total.images)
    try:
        name = erasing.finish(instance.id, actor, total._asdict())
    except StillNeeded as error:
        raise click.ClickException(f"{error} Run this again.") from error
    click.echo(
        f"Erased: {total.jobs} jobs, {total.images} images, {total.uploads} uploads and"
        f" {total.files} files ({size(total.bytes)}). What is left is called {name}."
    )
