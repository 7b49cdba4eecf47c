"""The models that the stand-in stands in for, and what each of them takes."""

from dataclasses import dataclass

MATCH = "match_input_image"
RATIOS = (
    MATCH, "1:1", "2:3", "3:2", "3:4", "4:3", "4:5", "5:4", "9:16", "16:9", "21:9",
)  # fmt: skip
NARROW = ("1:4", "4:1", "1:8", "8:1")
# The side of a square result in pixels; other shapes have as many pixels.
SIDES = {"1K": 1024, "2K": 2048, "4K": 4096}


@dataclass(frozen=True)
class Model:
    """What a model takes; `resolution` is its default, None for one that has no choice. `since` is
    the day on which its version was made."""

    since: str
    ratios: tuple[str, ...] = RATIOS
    resolution: str | None = None

    @property
    def resolutions(self) -> tuple[str, ...]:
        """The resolutions to choose from."""
        return tuple(SIDES) if self.resolution else ()


MODELS = {
    "google/nano-banana": Model("2025-08-26"),
    "google/nano-banana-pro": Model("2025-11-20", resolution="2K"),
    "google/nano-banana-2": Model("2026-02-26", (*RATIOS, *NARROW), "1K"),
}
MOST_IMAGES = 14
