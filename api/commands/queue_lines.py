"""`queue status` as tables one below the other, or as tab-separated lines for programs."""

from collections.abc import Iterator

import click

from api.commands.output import plain, seconds, show
from api.commands.queue_facts import Facts, Flow, Work
from models.shares import Share, Shares
from tasks.limiter import LimiterState

SHARE_COLUMNS = ("instance", "due", "slots in 10m", "share", "last served", "runs")


def tell(facts: Facts) -> None:
    """Print everything that is known."""
    if isinstance(facts.flow, Flow):
        _tell_flow(facts.flow)
    else:
        click.echo(f"redis\t{plain(facts.flow)}")
    click.echo()
    if isinstance(facts.work, Work):
        _tell_work(facts.work)
    else:
        click.echo(f"database\t{plain(facts.work)}")
    click.echo(pause(facts))


def _tell_flow(flow: Flow) -> None:
    rows = ((name, depth.ready, depth.unacked) for name, depth in flow.depths.items())
    show(("queue", "ready", "unacked"), rows)
    click.echo()
    show(("limiter", "value"), _limiter_rows(flow.limiter))
    click.echo()
    show(("worker", "queues"), flow.workers)


def _tell_work(work: Work) -> None:
    show(("items", "number"), work.items.items())
    click.echo()
    show(SHARE_COLUMNS, (share_row(work.shares, each) for each in work.shares.busiest))
    if work.shares.others:
        click.echo(and_more(work.shares))
    click.echo(f"\ndue now: {work.due}")
    click.echo(f"oldest waiting image: {seconds(work.oldest_wait)}")
    click.echo(f"last sweep: {swept(work.sweep_age)}")


def _limiter_rows(state: LimiterState) -> Iterator[tuple[str, str]]:
    yield "limit", f"{state.limit} in {state.window:g}s, {state.spacing:g}s apart"
    for each in state.former:
        yield f"also, for {each.left:.0f}s more", str(each.pace)
    yield "used in the window", str(state.slots_used_in_window)
    yield "next slot in", f"{state.next_slot_in:.1f}s"
    yield "ready", "yes" if state.seeded else "no: it is read from the database by the next image"


def share_row(shares: Shares, share: Share) -> tuple[object, ...]:
    """A share under `SHARE_COLUMNS`; of a capped instance also what it runs, and may."""
    runs = None if share.cap is None else f"{share.running} of {share.cap}"
    slots = share.slots, f"{shares.of(share):.0%}"
    return share.name, share.due, *slots, share.last_served, runs


def and_more(shares: Shares) -> str:
    """Those that are not among the busiest."""
    return f"and {shares.others} more: {shares.others_due} images"


def swept(age: float | None) -> str:
    """When the last sweep was."""
    return "never" if age is None else f"{seconds(age)} ago"


def pause(facts: Facts) -> str:
    """Whether and why nothing is sent."""
    if isinstance(facts.work, Work) and (paused := facts.work.pause):
        why = plain(paused.reason) or "no reason given"
        since = f"{paused.since:%Y-%m-%d %H:%M:%S}Z"
        return f"paused by {plain(paused.by)} since {since}: {why} (`queue resume` ends it)"
    if isinstance(facts.flow, Flow) and facts.flow.limiter.paused_for:
        return _refused(facts.flow.limiter)
    return "not paused" if isinstance(facts.flow, Flow) else ""


def _refused(state: LimiterState) -> str:
    why = plain(state.pause_reason) or "no reason given"
    return f"paused for {seconds(state.paused_for)} more: {why} (`queue resume` ends it)"
