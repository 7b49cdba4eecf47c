"""Durations and bytes as the tables tell them."""

UNITS = ("B", "kB", "MB", "GB", "TB")


def span(seconds: float) -> str:
    """Seconds, minutes or hours."""
    if seconds < 90:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def size(number: float) -> str:
    """So many bytes in the unit that fits."""
    power = max(n for n in range(len(UNITS)) if number >= 1000**n or not n)
    return f"{number / 1000**power:.3g} {UNITS[power]}"
