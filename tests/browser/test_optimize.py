"""The page Optimize in each of its states: products, their images, the order."""

import json
import re

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, Route, expect

from tests.browser.checks import meant_to_move
from tests.browser.optimize import boxes, open_product, prompt, receipt, said, send
from tests.browser.shopfront import Shopfront
from tests.browser.states import check_state
from tests.browser.watch import Watch
from tests.service import wait_until

TALK = re.compile(r"/api/products\?|/api/products$")


def write(field: Locator, words: str) -> None:
    """Write into a field that grows and shrinks: without a key, that would count as a jump."""
    field.press("Control+a")
    field.fill(words)


def given_up(page: Page) -> bool:
    """Whether a picture that does not come is asked for no more; time goes on by six seconds."""
    page.clock.fast_forward(6_000)
    return page.locator(".images .nothing").count() > 0


def problem(route: Route, status: int, code: str, detail: str, **headers: str) -> None:
    """Answer as the API would in a state that this test's service is not in."""
    route.fulfill(
        status=status,
        body=json.dumps({"status": status, "code": code, "detail": detail}),
        headers={"Content-Type": "application/problem+json"} | headers,
    )


@pytest.mark.every_look
def test_each_state_of_the_products(page: Page, shop: Shopfront, watch: Watch) -> None:
    waiting: list[Route] = []

    def keep(route: Route) -> None:
        waiting.append(route)

    page.route(TALK, keep)
    shop.open(page, "/", shop.customer("alice"))
    expect(page.get_by_role("status", name="Loading products")).to_be_visible()
    check_state(page, "products-loading")

    waiting[0].continue_()
    page.unroute(TALK)
    cards = page.locator("a.product")
    expect(cards).to_have_count(20)
    expect(page.get_by_text("20 products shown, there are more")).to_be_visible()
    check_state(page, "products")
    page.get_by_role("button", name="Show more").click()
    expect(cards).to_have_count(len(shop.products))

    search = page.get_by_label("Search products")
    search.click()
    search.fill("CUP")
    expect(page.get_by_text("2 products for “CUP”")).to_be_visible()
    check_state(page, "products-found")
    search.fill("zebra")
    expect(page.get_by_role("heading", name="No product has this name")).to_be_visible()
    check_state(page, "products-not-found")
    search.fill("")
    expect(cards).to_have_count(20)

    shop.stock([])
    page.reload()
    expect(page.get_by_role("heading", name="Your shop has no products yet")).to_be_visible()
    check_state(page, "products-none")


@pytest.mark.every_look
def test_each_state_without_products(
    page: Page, context: BrowserContext, shop: Shopfront, watch: Watch
) -> None:
    watch.allow_status(409, 429, 503)
    watch.allow_offline()
    token = shop.customer("alice")
    again = page.get_by_role("button", name="Try again")

    shop.burn()
    shop.open(page, "/", token)
    expect(page.get_by_role("heading", name="Your shop does not answer just now")).to_be_visible()
    check_state(page, "catalogue-away")

    words = "No shop is connected. Choose images by their addresses instead."
    page.route(TALK, lambda route: problem(route, 409, "catalogue_not_connected", words))
    again.click()
    expect(page.get_by_role("heading", name="No shop is connected yet")).to_be_visible()
    check_state(page, "catalogue-not-connected")

    said = {"Retry-After": "7"}
    page.route(TALK, lambda route: problem(route, 429, "too_many_requests", "Wait.", **said))
    page.reload()
    expect(page.get_by_text("Wait 7 seconds and try again.")).to_be_visible()
    check_state(page, "too-many-requests")

    page.unroute_all()
    shop.stock(shop.products)
    context.set_offline(True)
    again.click()
    expect(page.get_by_role("heading", name="You are offline")).to_be_visible()
    expect(page.get_by_text("this page goes on once you are back")).to_be_visible()
    check_state(page, "offline")

    context.set_offline(False)
    expect(page.locator("a.product")).to_have_count(20)
    expect(page.get_by_text("You are offline")).to_have_count(0)


@pytest.mark.every_look
def test_each_state_of_an_order(page: Page, shop: Shopfront, watch: Watch) -> None:
    cup = shop.products[0]
    token = shop.customer("alice", credits=45)
    shop.open(page, "/", token)
    open_product(page, shop, cup)
    expect(send(page)).to_have_text("Choose images first")
    check_state(page, "order-empty")

    for place in range(3):
        boxes(page).nth(place).check()
    expect(page.locator(".cost .total")).to_have_text("Left after this0")
    send(page).click()
    expect(prompt(page)).to_be_focused()
    expect(prompt(page)).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_text("Say what should be done with the image.")).to_be_visible()
    check_state(page, "order-no-prompt")

    page.get_by_role("button", name="White studio background").click()
    page.get_by_role("button", name="Warmer light").click()
    expect(prompt(page)).to_have_value("White studio background, warmer light")
    check_state(page, "order-one-for-all")

    page.locator("label", has_text="One each").click()
    second = page.get_by_label("Prompt for “Close up”")
    expect(second).to_have_value("White studio background, warmer light")
    second.fill("")
    send(page).click()
    expect(second).to_be_focused()
    write(second, "x" * 2001)
    expect(page.get_by_text("Use at most 2,000 characters: these are 2,001.")).to_be_visible()
    send(page).click()
    expect(second).to_be_focused()
    check_state(page, "order-one-each-wrong")

    with meant_to_move(page):
        write(second, "brighter")
        boxes(page).nth(3).check()
        expect(said(page, "Choose up to 3 images, or wait until")).to_be_visible()
        expect(page.locator(".cost .total")).to_have_text("Missing15")
    send(page).click(force=True)
    check_state(page, "order-too-few-credits")

    assert shop.jobs(token) == []
    boxes(page).nth(3).uncheck()
    expect(page.locator(".stop")).to_have_count(0)
    send(page).click()
    expect(receipt(page)).to_be_focused()
    expect(page.get_by_role("link", name="Watch the progress")).to_be_in_viewport(ratio=1)
    expect(page.locator(".balance")).to_have_text("0credits")
    check_state(page, "order-sent")


@pytest.mark.every_look
def test_an_order_takes_ten_images_and_no_eleventh(page: Page, shop: Shopfront) -> None:
    every = [{**image, "id": f"image-{n}"} for n, image in enumerate(shop.images()[:12])]
    shop.stock([{"id": "dozen", "name": "Twelve views", "images": every}])
    shop.open(page, "/", shop.customer("alice"))
    open_product(page, shop, {"id": "dozen", "name": "Twelve views"})

    page.get_by_role("button", name="Choose all").click()
    expect(said(page, "2 of 12 are left out.")).to_be_visible()
    expect(page.get_by_text("10 of up to 10 chosen")).to_be_visible()
    expect(page.locator(".images :checked")).to_have_count(10)
    expect(send(page)).to_have_text("Optimize 10 images")

    page.get_by_role("button", name="Choose none").click()
    expect(page.locator(".stop")).to_have_count(0)
    page.get_by_role("button", name="Choose all").click()
    boxes(page).nth(0).uncheck()
    boxes(page).nth(10).check()
    boxes(page).nth(11).click()
    expect(boxes(page).nth(11)).not_to_be_checked()
    expect(said(page, "10 images are chosen already")).to_be_visible()
    expect(said(page, "10 images are chosen already")).to_be_in_viewport(ratio=1)
    check_state(page, "order-full")


@pytest.mark.every_look
def test_each_state_of_own_addresses(page: Page, shop: Shopfront, watch: Watch) -> None:
    watch.allow_status(400, 404, 502, 503)
    token = shop.customer("alice")
    shop.open(page, "/", token)
    page.get_by_role("link", name="Choose images by their addresses").click()
    expect(page.get_by_role("heading", name="No images yet")).to_be_visible()
    check_state(page, "own-empty")

    page.clock.install()
    field = page.get_by_label("Add an image by its address")
    for wrong in ("", "no address", "ftp://shop.example/cup.jpg", "javascript:alert(1)"):
        field.fill(wrong)
        field.press("Enter")
        expect(field).to_have_attribute("aria-invalid", "true")
        expect(field).to_be_focused()
        expect(page.locator(".address .fault")).to_be_in_viewport(ratio=1)
    check_state(page, "own-wrong")

    gone = f"{shop.stand_in.url}/shop/gone%ff.jpg"
    for url in (shop.images()[0]["url"], gone, gone):
        field.fill(url)
        field.press("Enter")
        expect(field).to_have_value("")
    expect(boxes(page)).to_have_count(2)
    # It is asked for again three times, ever more slowly.
    wait_until(lambda: given_up(page), "no picture")
    check_state(page, "own-added")

    page.get_by_label("Name of the job").fill("Window display")
    prompt(page).fill("brighter")
    send(page).click()
    expect(receipt(page)).to_be_visible()
    job = shop.jobs(token)[0]
    assert job["productName"] == "Window display"
    good, bad = shop.wait_for(token, job["id"])["items"]
    assert (good["status"], bad["status"]) == ("DONE", "FAILED")
    assert bad["errorCode"] == "bad_image_url"
    page.get_by_role("link", name="Watch the progress").click()
    expect(page.get_by_text("The image could not be read from its address.")).to_be_visible()
