"""A look at one state of a page."""

from playwright.sync_api import Page

from tests.browser.checks import check_accessible, check_fits, check_no_layout_shift
from tests.browser.looks import shoot


def check_state(page: Page, name: str) -> None:
    """Take a picture under that name, and check all that a page must keep in every state."""
    shoot(page, name)
    check_accessible(page)
    check_fits(page)
    check_no_layout_shift(page)
