"""`queue status --watch`: the same at a glance, on a screen that is drawn again and again.

Colours only repeat what words and numbers say.
"""

from collections.abc import Iterable

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from api.commands.output import COLOURS, plain, seconds
from api.commands.queue_facts import Facts, Flow, Work
from api.commands.queue_lines import SHARE_COLUMNS, and_more, pause, share_row, swept
from models.shares import Shares
from tasks.limiter import LimiterState

WORKERS_SHOWN = 3
BAR = 16
# Everything but the instances' rows, on a screen with as many workers as are shown.
OTHER_ROWS = 20


def screen(facts: Facts, height: int) -> RenderableType:
    """The picture for a terminal of `height` rows; fewer instances are shown on a low one."""
    top = Table.grid(expand=True, padding=(0, 2))
    top.add_column(ratio=1)
    top.add_column(ratio=1)
    top.add_row(_flow(facts), _work(facts.work))
    when = f"  {facts.at:%Y-%m-%d %H:%M:%S}Z"
    title = Text.assemble(("Darkroom", "bold"), when, ("  Ctrl-C ends this", "dim"))
    parts: list[RenderableType] = [title, "", top]
    if isinstance(facts.flow, Flow):
        parts += ["", _workers(facts.flow.workers)]
    if isinstance(facts.work, Work):
        parts += ["", _shares(facts.work.shares.first(max(3, height - OTHER_ROWS)))]
    return Group(*parts)


def _flow(facts: Facts) -> RenderableType:
    flow = facts.flow
    if isinstance(flow, str):
        return Group(Text("Redis", "bold"), Text(plain(flow), "red"))
    queues = _grid("Queues", "ready", "unacked")
    for name, depth in flow.depths.items():
        queues.add_row(name, str(depth.ready), str(depth.unacked))
    told = pause(facts)
    colour = "" if told == "not paused" else "bold yellow"
    return Group(*_limiter(flow.limiter), Text(told, colour), "", queues)


def _limiter(state: LimiterState) -> Iterable[RenderableType]:
    used, limit = state.slots_used_in_window, state.limit
    yield Text("Limiter", "bold")
    yield Text.assemble(
        (bar(used, limit, min(limit, BAR)), "cyan"), f" {used} of {limit} in {state.window:g}s"
    )
    ready = "" if state.seeded else " (not seeded yet)"
    yield Text(f"next slot in {state.next_slot_in:.1f}s{ready}")


def _work(work: Work | str) -> RenderableType:
    if isinstance(work, str):
        return Group(Text("Database", "bold"), Text(plain(work), "red"))
    images = _grid("Images", "", bars=True)
    total = sum(work.items.values())
    for status, number in work.items.items():
        colour = COLOURS[status]
        images.add_row(Text(status, colour), str(number), Text(bar(number, total, BAR), colour))
    return Group(
        images,
        f"due now {work.due}, oldest wait {seconds(work.oldest_wait)}",
        f"last sweep {swept(work.sweep_age)}",
    )


def _workers(workers: Iterable[tuple[str, str]]) -> RenderableType:
    """Who answered, with the queues that they take from."""
    everybody = list(workers)
    table = Table.grid(padding=(0, 2))
    table.add_row(Text(f"Workers: {len(everybody)}", "bold"))
    for name, queues in everybody[:WORKERS_SHOWN]:
        table.add_row(plain(name), plain(queues))
    if len(everybody) > WORKERS_SHOWN:
        table.add_row(f"and {len(everybody) - WORKERS_SHOWN} more")
    return table


def _shares(shares: Shares) -> RenderableType:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold", expand=True)
    table.add_column(SHARE_COLUMNS[0], ratio=1, no_wrap=True)
    for column in SHARE_COLUMNS[1:]:
        table.add_column(column, justify="right", no_wrap=True)
    for share in shares.busiest:
        table.add_row(*(Text(plain(value)) for value in share_row(shares, share)))
    if not shares.busiest:
        table.add_row("nobody waits")
    return Group(table, and_more(shares)) if shares.others else table


def _grid(title: str, *numbers: str, bars: bool = False) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column(title)
    for number in numbers:
        table.add_column(number, justify="right")
    if bars:
        table.add_column()
    return table


def bar(part: int, whole: int, width: int) -> str:
    """A bar of `width` cells. What is not 0 fills at least one, and only the whole fills all."""
    filled = round(width * part / whole) if whole else 0
    filled = min(max(filled, min(part, 1)), width if part >= whole else width - 1)
    return "■" * filled + "·" * (width - filled)
