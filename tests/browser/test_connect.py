"""Connecting a shop: its token comes by a link or is typed in, and stays in this tab alone."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.shopfront import Shopfront
from tests.browser.states import check_state
from tests.browser.watch import Watch

STORED = "[Object.keys(localStorage), document.cookie]"


def connect(page: Page, token: str) -> None:
    """Type the token in and press Enter."""
    page.get_by_label("Token of your shop").fill(token)
    page.keyboard.press("Enter")


def connected(page: Page) -> None:
    """Return once the products are shown."""
    expect(page.get_by_role("heading", name="Choose a product")).to_be_visible()
    expect(page.locator("a.product").first).to_be_visible()


@pytest.mark.every_look
def test_a_shop_connects_by_its_token_after_mistakes(
    page: Page, shop: Shopfront, watch: Watch
) -> None:
    watch.allow_status(401)
    shop.open(page, "/")
    expect(page.get_by_role("heading", name="Connect your shop")).to_be_visible()
    check_state(page, "connect")

    connect(page, "")
    expect(page.get_by_role("alert")).to_contain_text("Paste the token of your shop")
    for wrong in ("dk_wrong", "dk_ab…yz"):
        connect(page, wrong)
        expect(page.get_by_role("alert")).to_contain_text("This token is not known")
        expect(page.get_by_label("Token of your shop")).to_be_focused()
    check_state(page, "connect-wrong")

    connect(page, f" {shop.customer('alice')} ")
    connected(page)
    expect(page.locator(".balance")).to_have_text("10,000credits")


def test_a_link_hands_the_token_over_and_shows_it_nowhere(page: Page, shop: Shopfront) -> None:
    alice, bob = shop.customer("alice", credits=111), shop.customer("bob", credits=222)
    shop.open(page, "/ongoing", alice)
    expect(page.get_by_role("heading", name="Nothing is under way")).to_be_visible()
    assert page.url == f"{shop.url}/ongoing"

    page.get_by_role("link", name="Optimize", exact=True).click()
    connected(page)
    page.go_back()
    expect(page.get_by_role("heading", name="Nothing is under way")).to_be_visible()
    assert page.url == f"{shop.url}/ongoing"

    # The page is open already: only the fragment changes.
    shop.open(page, "/ongoing", bob)
    expect(page.locator(".balance strong")).to_have_text("222")
    assert page.url == f"{shop.url}/ongoing"
    assert page.evaluate(STORED) == [[], ""]
    assert alice not in page.evaluate("JSON.stringify(sessionStorage)")


def test_another_tab_knows_nothing(page: Page, shop: Shopfront) -> None:
    shop.open(page, "/", shop.customer("alice"))
    connected(page)

    other = page.context.new_page()
    shop.open(other, "/")

    expect(other.get_by_role("heading", name="Connect your shop")).to_be_visible()
    expect(other.locator("main#main")).to_be_hidden()


def test_a_token_that_was_rotated_is_asked_for_again(
    page: Page, shop: Shopfront, watch: Watch
) -> None:
    watch.allow_status(401)
    token = shop.customer("alice")
    shop.open(page, "/", token)
    connected(page)

    renewed = shop.rotate(token)
    page.get_by_label("Search products").fill("cup")
    expect(page.get_by_role("alert")).to_contain_text("not known any more")
    expect(page.locator(".balance")).to_be_hidden()
    check_state(page, "connect-again")

    connect(page, renewed)
    connected(page)


def test_who_disconnects_leaves_nothing_behind(page: Page, shop: Shopfront) -> None:
    shop.open(page, "/", shop.customer("alice"))
    connected(page)
    page.goto(f"{shop.url}/#product={shop.products[0]['id']}")
    page.get_by_role("button", name="Choose all").click()
    assert "darkroom.drafts" in page.evaluate("Object.keys(sessionStorage)")

    page.get_by_role("button", name="Disconnect").click()

    expect(page.get_by_role("heading", name="Connect your shop")).to_be_visible()
    assert page.evaluate("Object.keys(sessionStorage)") == []
    page.go_back()
    expect(page.get_by_role("heading", name="Connect your shop")).to_be_visible()


def test_a_page_that_the_browser_kept_is_not_shown_after_disconnecting(
    page: Page, shop: Shopfront
) -> None:
    shop.open(page, "/", shop.customer("alice"))
    connected(page)

    # What happens on "back" where the browser kept the page; Playwright's keeps none.
    page.evaluate(
        "sessionStorage.clear();"
        "dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }));"
    )

    expect(page.get_by_role("heading", name="Connect your shop")).to_be_visible()
