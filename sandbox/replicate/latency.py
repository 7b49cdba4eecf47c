"""Times to wait, drawn from a knob."""

import random

from sandbox.replicate.knobs import Span


def drawn(span: Span, dice: random.Random) -> float:
    """Return the number, or one between its least and its most; seconds."""
    return dice.uniform(*span) if isinstance(span, list) else span
