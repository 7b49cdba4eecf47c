"""A pace as the limiter's log keeps it, and as its script reads it: all times in microseconds."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from config.forms import RateLimit
from models.controls import Former, Pace, Terms

# For so long the log keeps grants (`limiter.lua`), and so far back it is seeded; seconds.
HISTORY = 600.0


@dataclass(frozen=True, slots=True)
class Bound:
    """What keeps a pace: at most `count` grants in `window`, `spacing` apart; seconds."""

    pace: Pace
    count: int
    window: float
    spacing: float

    @classmethod
    def of(cls, pace: Pace, grant_age: float) -> "Bound":
        """A send comes up to `grant_age` after its grant, so grants keep that much more distance:
        always in the window, between two where it costs no rate. Where the spacing is what bounds
        the rate, grants keep it and sends only on average."""
        strict = pace.spacing + grant_age
        affordable = pace.spacing > 0 and strict * pace.limit.count <= pace.limit.window / 2
        spacing = strict if affordable else pace.spacing
        return cls(pace, pace.limit.count, pace.limit.window + grant_age, spacing)

    def numbers(self) -> tuple[int, int, int]:
        """Count, window and spacing for the script."""
        return self.count, micros(self.window), micros(self.spacing)

    def facts(self) -> dict[str, Any]:
        """The same with its name, for the marker."""
        count, window, spacing = self.numbers()
        return {"name": name(self.pace), "count": count, "window": window, "spacing": spacing}


def name(pace: Pace) -> str:
    """The pace in a word, from which `named` reads it again."""
    return f"{pace.limit.count}/{micros(pace.limit.window)}/{micros(pace.spacing)}"


def named(word: str) -> Pace:
    """The pace that has this name."""
    count, window, spacing = map(int, word.split("/"))
    return Pace(RateLimit(count, seconds(window)), seconds(spacing))


def to_script(terms: Terms, settings: Bound, grant_age: float) -> str:
    """The terms for the marker. `own`: those of the settings, which bind their users alone."""
    bound = Bound.of(terms.pace, grant_age) if terms.pace else settings
    former = [
        Bound.of(each.pace, grant_age).facts() | {"left": micros(each.left)}
        for each in terms.former
    ]
    facts = {"revision": terms.revision, "own": terms.pace is None, "at_once": terms.at_once}
    return json.dumps(facts | bound.facts() | {"former": former})


def horizon(terms: Terms, settings: Bound, grant_age: float) -> float:
    """How far back the log has to be seeded, in seconds."""
    paces = [each.pace for each in terms.former] + ([terms.pace] if terms.pace else [])
    windows = [Bound.of(pace, grant_age).window for pace in paces]
    return max(HISTORY, settings.window, *windows)


def former_from_script(found: Sequence[tuple[bytes, int]]) -> tuple[Former, ...]:
    """The former paces that still bind, as the script tells them."""
    return tuple(Former(named(text(word)), seconds(left)) for word, left in found)


def micros(number: float) -> int:
    """Seconds as whole microseconds."""
    return round(number * 1_000_000)


def seconds(number: int) -> float:
    """Microseconds as seconds."""
    return number / 1_000_000


def text(value: bytes | str) -> str:
    """What Redis answers, as text."""
    return value.decode() if isinstance(value, bytes) else value
