"""Where the tests look on the page Ongoing."""

from playwright.sync_api import Locator, Page


def card(page: Page, job: int) -> Locator:
    """A job in the list."""
    return page.get_by_role("list", name="Ongoing jobs").locator(f'a[href="#job={job}"]')


def detail(page: Page) -> Locator:
    """The job that is open."""
    return page.get_by_role("region", name="The open job")


def items(page: Page) -> Locator:
    """Its images."""
    return detail(page).locator(".item")
