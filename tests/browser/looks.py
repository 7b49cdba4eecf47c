"""What a page is looked at with: a phone or a desktop, in light or dark; and pictures of it."""

import os
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Page


@dataclass(frozen=True)
class Look:
    """A size of the window in CSS pixels, and the colours that its owner prefers."""

    width: int
    height: int
    scheme: str

    def __str__(self) -> str:
        return f"{self.width}-{self.scheme}"

    def context_args(self) -> dict[str, Any]:
        """For `browser.new_context`; what moves would make pictures and checks a matter of luck."""
        return {
            "viewport": {"width": self.width, "height": self.height},
            "color_scheme": self.scheme,
            "reduced_motion": "reduce",
        }


LOOKS = tuple(
    Look(width, height, scheme)
    for width, height in ((390, 844), (1440, 900))
    for scheme in ("light", "dark")
)
DESKTOP = LOOKS[2]


def look_of(test: str) -> Look:
    """The one that `make test` gives this test: always the same, and each look gets its share."""
    return LOOKS[zlib.crc32(test.encode()) % len(LOOKS)]


def shoot(page: Page, name: str) -> None:
    """Write `name` with its look as a PNG of the whole page into the folder SHOTS, if it is set."""
    if folder := os.environ.get("SHOTS"):
        dark = page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
        width = page.evaluate("innerWidth")
        file = Path(folder) / f"{name}-{width}-{'dark' if dark else 'light'}.png"
        page.screenshot(path=file, full_page=True, animations="disabled")
