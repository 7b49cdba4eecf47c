"""Times to wait, drawn from a knob."""

import asyncio
import random

from sandbox.replicate.knobs import Span


def drawn(span: Span, dice: random.Random) -> float:
    """Return the number, or one between its least and its most; seconds."""
    return dice.uniform(*span) if isinstance(span, list) else span


async def pause(span: Span, dice: random.Random) -> None:
    """Wait as long as the knob says; not even the event loop's turn where it says 0."""
    if seconds := drawn(span, dice):
        await asyncio.sleep(seconds)
