"""`queue status|resume`: whether the work flows, and if it does not, why."""

from pathlib import Path

import click

from api.commands.advice import Commands
from api.commands.queue_facts import Looker
from api.commands.queue_lines import tell
from api.commands.queue_watch import save_picture, watch
from config.settings import Settings, SettingsError
from tasks.limiter import LimiterUnavailable

queue = Commands("queue", help="See whether the work flows, and go on after a pause.")


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


@queue.command("resume")
def resume() -> None:
    """End a pause now; the next sweep wakes the workers."""
    try:
        Looker(_settings()).limiter.resume()
    except LimiterUnavailable as error:
        raise click.ClickException(f"{error}: check REDIS_URL.") from error
    click.echo("No pause is in force any more. The next sweep wakes the workers.")


def _settings() -> Settings:
    try:
        return Settings.from_environment()
    except SettingsError as error:
        raise click.ClickException(str(error)) from error
