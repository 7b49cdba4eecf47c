"""Where the tests look on the page Optimize."""

import re
from typing import Any

from playwright.sync_api import Locator, Page, expect

from tests.browser.shopfront import Shopfront


def open_product(page: Page, shop: Shopfront, product: dict[str, Any]) -> None:
    """Go to a product's images; the token is there already."""
    page.goto(f"{shop.url}/#product={product['id']}")
    expect(page.get_by_role("heading", level=1, name=product["name"])).to_be_visible()


def boxes(page: Page) -> Locator:
    """The check boxes of the images."""
    return page.locator(".images input[type=checkbox]")


def prompt(page: Page) -> Locator:
    """The field for the prompt of all images."""
    return page.get_by_label("Prompt for all images")


def send(page: Page) -> Locator:
    """The button that sends the order."""
    return page.locator("#order button[type=submit]")


def receipt(page: Page) -> Locator:
    """The heading that stands there once an order was accepted."""
    return page.get_by_role("heading", name=re.compile(r"^Job \d+ is on its way$"))


def said(page: Page, words: str) -> Locator:
    """What stops somebody, and says why."""
    return page.get_by_role("alert").filter(has_text=words)
