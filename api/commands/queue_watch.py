"""Looking at the queue again and again, until somebody has seen enough."""

import io
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count as forever
from pathlib import Path

import click
from rich.console import Console
from rich.live import Live

from api.commands.queue_facts import Facts
from api.commands.queue_lines import tell
from api.commands.queue_screen import screen

PICTURE_SIZE = (88, 40)
# An image in a page loads nothing from elsewhere, and a font of somebody's server least of all.
FONTS = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)

Draw = Callable[[Facts], None]


def watch(look: Callable[[], Facts], interval: float, times: int | None) -> None:
    """Draw what `look` sees every `interval` seconds, so many `times`, or until Ctrl-C."""
    try:
        with _drawing(Console()) as draw:
            for number in forever(1):
                began = time.monotonic()
                draw(look())
                if number == times:
                    return
                time.sleep(max(0.0, began + interval - time.monotonic()))
    except KeyboardInterrupt:
        # That is how one leaves it.
        return


@contextmanager
def _drawing(console: Console) -> Iterator[Draw]:
    """A screen of its own in a terminal, where the last picture stays behind; else lines."""
    if not console.is_terminal:
        yield _tell_when
        return
    last: list[Facts] = []
    with Live(console=console, screen=True, auto_refresh=False) as live:

        def draw(facts: Facts) -> None:
            last[:] = [facts]
            live.update(screen(facts, console.height), refresh=True)

        try:
            yield draw
        finally:
            live.stop()
            for facts in last:
                console.print(screen(facts, console.height))


def _tell_when(facts: Facts) -> None:
    click.echo(f"at\t{facts.at:%Y-%m-%dT%H:%M:%SZ}")
    tell(facts)
    click.echo()


def save_picture(facts: Facts, file: Path) -> None:
    """Write what the screen shows as an SVG, for the documentation."""
    width, height = PICTURE_SIZE
    console = Console(record=True, width=width, file=io.StringIO(), force_terminal=True)
    console.print(screen(facts, height))
    drawn = console.export_svg(title="flask --app wsgi queue status --watch")
    file.write_text(FONTS.sub("", drawn), encoding="utf-8")
