"""Pictures of any shape, for the pages to show."""

import io

from PIL import Image
from playwright.sync_api import Locator, Page

from tests.service import wait_until

PORTRAIT, LANDSCAPE, WIDE, SMALL = (900, 1600), (1600, 900), (3000, 200), (24, 18)


def picture_of(size: tuple[int, int]) -> bytes:
    """A PNG of that size, in which left and right, top and bottom can be told apart."""
    sides = (
        Image.linear_gradient("L").rotate(90).resize(size),
        Image.linear_gradient("L").resize(size),
    )
    picture = Image.merge("RGB", (*sides, Image.new("L", size, 120)))
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def await_placeholder(page: Page, part: Locator) -> None:
    """Return once a placeholder stands there for a picture; `page.clock` is installed."""
    part.scroll_into_view_if_needed()

    def gives_up() -> bool:
        page.clock.fast_forward(6000)
        return part.get_by_text("No picture").is_visible()

    wait_until(gives_up, "a placeholder", every=0.2)
