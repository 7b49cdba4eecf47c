"""`queue status|pause|resume|limit`: whether the work flows, and how fast."""

import time
from pathlib import Path

import click

from api.commands.acting import acting
from api.commands.advice import Commands
from api.commands.queue_facts import Looker
from api.commands.queue_lines import tell
from api.commands.queue_watch import save_picture, watch
from config.forms import parse_duration, rate
from config.settings import Settings, SettingsError
from models import controls
from models.controls import Pace, Terms
from tasks.limiter import LimiterUnavailable
from tasks.wake import Waker

# What was claimed just before a pause is sent within the time that its grant is good for.
ON_ITS_WAY = 0.25

queue = Commands("queue", help="See whether the work flows, pause it, and change its limit.")


@queue.command("status")
@click.option("--watch", "watching", is_flag=True, help="Look again and again; Ctrl-C ends it.")
@click.option(
    "--interval",
    type=click.FloatRange(0.1, 3600),
    default=2.0,
    show_default=True,
    help="Seconds from one look of --watch to the next; each takes about one.",
)
@click.option("--count", type=click.IntRange(min=1), help="End --watch after so many looks.")
@click.option("--picture", type=click.Path(path_type=Path, dir_okay=False), hidden=True)
def status(watching: bool, interval: float, count: int | None, picture: Path | None) -> None:
    """Show the queues, the limiter, the workers, what waits and whose it is."""
    looker = Looker(_settings())
    if watching:
        watch(looker.look, interval, count)
        return
    facts = looker.look()
    if picture:
        save_picture(facts, picture)
    for part in (facts.flow, facts.work):
        if isinstance(part, str):
            raise click.ClickException(part)
    tell(facts)


@queue.command("pause")
@click.option("--reason", default="", help="Shown to operators; shops see that it is paused.")
@acting
def pause(reason: str, actor: str) -> None:
    """Send nothing more until `queue resume`; what was sent is followed to its end."""
    if len(reason) > 200 or not reason.isprintable():
        raise click.BadParameter("at most 200 printable characters.", param_hint="--reason")
    controls.pause(reason, actor)
    time.sleep(ON_ITS_WAY)
    click.echo("Paused: nothing is sent from now on. `queue resume` ends it.")


@queue.command("resume")
@acting
def resume(actor: str) -> None:
    """End a pause now, an operator's or one after a refusal by Replicate, and wake the workers."""
    settings = _settings()
    controls.resume(actor)
    try:
        Looker(settings).limiter.resume()
    except LimiterUnavailable as error:
        raise click.ClickException(f"{error}: check REDIS_URL.") from error
    Waker(settings.redis_url).announce()
    click.echo("No pause is in force any more. The workers are being woken.")


@queue.command("limit")
@click.argument("limit", required=False, metavar="[RATE]")
@click.option("--spacing", help="The least time between two, like 1s; as it is if unset.")
@click.option("--reset", is_flag=True, help="Go back to the limit of the settings.")
@click.option("--at-once", is_flag=True, help="Let the limit that is replaced bind no more.")
@acting
def change_limit(
    limit: str | None, spacing: str | None, reset: bool, at_once: bool, actor: str
) -> None:
    """Change the limit while workers run, to RATE (like 10/30s); without one, show it.

    The limit that is replaced binds beside the new one for as long as its window is: so a higher
    one is in full force only after that, unless --at-once says otherwise.
    """
    settings = _settings()
    own = Pace(settings.replicate_rate_limit, settings.replicate_min_spacing)
    if reset == bool(limit or spacing):
        if not reset:
            click.echo(_told(controls.terms(), own))
            return
        raise click.UsageError("--reset goes with neither a rate nor a spacing.")
    pace = None if reset else _pace(limit, spacing, controls.terms().pace or own)
    terms = controls.set_pace(pace, own, actor, at_once=at_once)
    _put_in_force(settings, terms)
    click.echo(_told(terms, own))


def _pace(limit: str | None, spacing: str | None, now: Pace) -> Pace:
    try:
        return Pace(
            rate("RATE", limit) if limit else now.limit,
            parse_duration(spacing) if spacing else now.spacing,
        )
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


def _put_in_force(settings: Settings, terms: Terms) -> None:
    """Workers would find it in the database by themselves; where Redis is away, they will."""
    try:
        Looker(settings).limiter.heed(terms)
    except LimiterUnavailable as error:
        click.echo(f"{error}. It is in force when Redis is back.", err=True)


def _told(terms: Terms, own: Pace) -> str:
    source = "set by an operator" if terms.pace else "as the settings say"
    former = "".join(f"; for {each.left:.0f} s more also {each.pace}" for each in terms.former)
    return f"{terms.pace or own} ({source}){former}"


def _settings() -> Settings:
    try:
        return Settings.from_environment()
    except SettingsError as error:
        raise click.ClickException(str(error)) from error
