"""`queue status|resume`: whether the work flows, and if it does not, why."""

from collections.abc import Iterator

import click
import redis
from celery import Celery

from api.commands.advice import Commands
from api.commands.output import seconds, show
from config.settings import Settings, SettingsError
from models import following, reports
from tasks.limiter import Limiter, LimiterState, LimiterUnavailable, limiter_redis
from tasks.queues import depths

# Workers answer from their main thread at once, whatever their tasks wait for. Seconds.
PATIENCE = 1.0

queue = Commands("queue", help="See whether the work flows, and go on after a pause.")


@queue.command("status")
def status() -> None:
    """Show the queues, the limiter, the workers and what waits."""
    limiter = _limiter()
    try:
        state, waiting = limiter.state(), depths(limiter_redis(_settings().redis_url))
    except (LimiterUnavailable, redis.RedisError) as error:
        raise click.ClickException(
            f"Redis does not answer ({error}): check REDIS_URL. Nothing is sent meanwhile."
        ) from error
    show(("queue", "ready", "unacked"), ((n, d.ready, d.unacked) for n, d in waiting.items()))
    click.echo()
    show(("limiter", "value"), _limiter_rows(state))
    click.echo()
    show(("worker", "queues"), _workers(_settings().redis_url))
    click.echo()
    show(("items", "number"), reports.items_by_status().items())
    click.echo(f"\ndue now: {following.due_items()}")
    click.echo(f"oldest waiting image: {seconds(reports.oldest_waiting_age())}")
    click.echo(_verdict(state))


@queue.command("resume")
def resume() -> None:
    """End a pause now; the next sweep wakes the workers."""
    try:
        _limiter().resume()
    except LimiterUnavailable as error:
        raise click.ClickException(f"{error}: check REDIS_URL.") from error
    click.echo("No pause is in force any more. The next sweep wakes the workers.")


def _settings() -> Settings:
    try:
        return Settings.from_environment()
    except SettingsError as error:
        raise click.ClickException(str(error)) from error


def _limiter() -> Limiter:
    settings = _settings()
    return Limiter(
        limiter_redis(settings.redis_url),
        settings.replicate_rate_limit,
        settings.replicate_min_spacing,
        following.recent_sends,
    )


def _limiter_rows(state: LimiterState) -> Iterator[tuple[str, str]]:
    yield "limit", f"{state.limit} in {state.window:g}s, {state.spacing:g}s apart"
    yield "used in the window", str(state.slots_used_in_window)
    yield "next slot in", f"{state.next_slot_in:.1f}s"
    yield "ready", "yes" if state.seeded else "no: it is read from the database by the next image"


def _workers(redis_url: str) -> list[tuple[str, str]]:
    """Ask who is there; those that do not answer in time count as absent."""
    with Celery(broker=redis_url, set_as_current=False) as asker:
        answers = asker.control.inspect(timeout=PATIENCE).active_queues() or {}
    return sorted(
        (node, ", ".join(sorted(str(queue["name"]) for queue in queues)))
        for node, queues in answers.items()
    )


def _verdict(state: LimiterState) -> str:
    if not state.paused_for:
        return "not paused"
    why = state.pause_reason or "no reason given"
    return f"paused for {seconds(state.paused_for)} more: {why} (`queue resume` ends it)"
