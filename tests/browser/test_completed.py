"""The page Completed: what became of every image, and nothing that is refreshed by itself."""

import re
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.checks import check_accessible, check_fits, check_no_layout_shift
from tests.browser.looks import shoot
from tests.browser.shopfront import Shopfront
from tests.browser.texts import IMAGE_ID, PRODUCT_NAME, PROMPT
from tests.browser.traffic import JOBS, LIST, Traffic, held_answers
from tests.browser.watch import Watch


def check(page: Page, name: str) -> None:
    """What every state must keep, and a picture of it."""
    check_no_layout_shift(page)
    check_fits(page)
    check_accessible(page)
    shoot(page, f"completed-{name}")


def detail(page: Page) -> Locator:
    return page.get_by_role("region", name="The open job")


def cards(page: Page) -> Locator:
    return page.get_by_role("list", name="Completed jobs").get_by_role("link")


def loaded(page: Page, pictures: Locator) -> None:
    """Return once each of these pictures is there."""
    for picture in pictures.all():
        picture.scroll_into_view_if_needed()
        expect(picture).to_have_js_property("complete", True)
    page.evaluate("scrollTo(0, 0)")


@pytest.mark.every_look
def test_every_image_says_what_became_of_it(page: Page, shop: Shopfront, watch: Watch) -> None:
    watch.allow_status(404)
    token = shop.customer()
    images = [
        {"imageId": image["id"], "imageUrl": image["url"], "prompt": prompt}
        for image, prompt in zip(
            shop.images(),
            ["white background", "brighter", "nude [fail E005]", "sharper [fail E001]"],
            strict=False,
        )
    ]
    gone = {"imageId": "gone", "imageUrl": f"{shop.stand_in.url}/gone.jpg", "prompt": "brighter"}
    job = shop.order_images(token, [*images, gone])
    items = shop.wait_for(token, job)["items"]
    failed = {item["imageId"]: item for item in items if item["status"] == "FAILED"}
    shop.open(page, "/completed", token)

    pairs = detail(page).locator(".pairs > .item")
    expect(pairs).to_have_count(2)
    expect(pairs.first).to_contain_text("white background")
    expect(pairs.first.get_by_role("img")).to_have_count(2)
    rows = detail(page).locator(".failed-item")
    expect(rows).to_have_count(len(failed) == 3 and 3 or -1)
    for name, item in failed.items():
        row = rows.filter(has=page.get_by_role("heading", name=name, exact=True))
        expect(row).to_contain_text(item["error"])
        expect(row).to_contain_text(item["errorCode"])
        again = "may help" if item["retryable"] else "would not help"
        expect(row).to_contain_text(again)
        charged = item["creditsCharged"]
        expect(row).to_contain_text(f"{charged} credits charged" if charged else "given back")
    loaded(page, detail(page).get_by_role("img"))
    expect(rows.last).to_contain_text("No picture", timeout=30_000)
    check(page, "mixed")
