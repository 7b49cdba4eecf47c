"""GET /docs in a real browser: Swagger UI under our policy, with nothing from elsewhere."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.checks import check_fits
from tests.browser.looks import shoot
from tests.browser.shopfront import Shopfront


@pytest.mark.every_look
def test_the_page_shows_every_route_and_complains_about_nothing(
    page: Page, shop: Shopfront
) -> None:
    shop.open(page, "/docs")

    expect(page.get_by_role("heading", name="Darkroom")).to_be_visible()
    expect(page.get_by_text("/api/image-optimization/jobs", exact=True)).to_be_visible()
    check_fits(page)
    shoot(page, "docs")


def test_it_can_be_tried_with_a_token(page: Page, shop: Shopfront) -> None:
    token = shop.customer("alice", credits=45)
    shop.open(page, "/docs")

    page.get_by_role("button", name="Authorize").click()
    login = page.locator(".auth-container form").filter(has_text="instance (http, Bearer)")
    login.locator("input").fill(token)
    login.get_by_role("button", name="Apply credentials").click()
    login.get_by_role("button", name="Close").click()
    page.get_by_text("/api/credits", exact=True).click()
    page.get_by_role("button", name="Try it out").click()
    page.get_by_role("button", name="Execute").click()

    expect(page.locator(".live-responses-table .response-col_status").last).to_have_text("200")
    expect(page.locator(".live-responses-table")).to_contain_text('"balance": 45')
