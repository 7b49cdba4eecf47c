"""All images of several products as one batch, and its progress."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.optimize import prompt, send
from tests.browser.shopfront import Shopfront
from tests.browser.states import check_state
from tests.browser.watch import Watch


@pytest.mark.every_look
def test_all_images_of_several_products_are_ordered_and_followed_together(
    page: Page, shop: Shopfront, watch: Watch
) -> None:
    token = shop.customer("alice", credits=10_000)
    shop.open(page, "/", token)
    boxes = page.locator(".products input[type=checkbox]")
    expect(page.get_by_role("heading", name="How it works")).to_be_visible()
    first, second = shop.products[:2]
    images = len(first["images"]) + len(second["images"])
    boxes.nth(0).check()
    boxes.nth(1).check()
    boxes.nth(2).check()
    boxes.nth(2).uncheck()

    expect(page.get_by_role("heading", name="Several products")).to_be_visible()
    expect(page.locator("#order")).to_contain_text(f"All {images} images of 2 products")
    expect(page.locator("#order .cost")).to_contain_text(f"{images * 15}")
    send(page).click()
    expect(page.get_by_text("Say what should be done with the image")).to_be_visible()
    prompt(page).fill("white background")
    check_state(page, "several-products")
    shop.hold()
    send(page).click()

    on_its_way = page.get_by_role("heading", name=re.compile(r"^Batch \d+ is on its way$"))
    expect(on_its_way).to_be_visible()
    expect(boxes.nth(0)).not_to_be_checked()
    assert shop.balance(token) == 10_000 - images * 15
    jobs = shop.jobs(token)
    assert {job["productName"] for job in jobs} == {first["name"], second["name"]}
    (batch,) = {job["batchId"] for job in jobs}

    page.get_by_role("link", name="Watch the progress").click()
    line = page.get_by_role("list", name="Batches")
    expect(line).to_contain_text(f"Batch {batch} · 2 jobs")
    expect(line.get_by_role("link")).to_have_count(2)
    expect(line).to_contain_text(f"0 of {images} images ready")
    check_state(page, "batch")
    shop.go_on()
    expect(line).to_contain_text(f"{images} of {images} images ready", timeout=60_000)
    expect(line.get_by_role("link").first).to_have_attribute("href", re.compile("^completed#job="))
