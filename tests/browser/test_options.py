"""The options of an order: models with their prices, shape, file, references, and presets."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.optimize import boxes, open_product, prompt, receipt, send
from tests.browser.shopfront import Shopfront
from tests.browser.states import check_state
from tests.browser.watch import Watch


def options(page: Page) -> Locator:
    """The line that tells what is chosen, and opens the choice."""
    return page.locator("details.options summary")


def price(page: Page, images: int, credits: int) -> None:
    """What the order costs is told at once."""
    words = f"{images} image{'s' if images > 1 else ''} . {credits} credits{images * credits}"
    expect(page.locator(".cost div").first).to_have_text(re.compile(words))


@pytest.mark.every_look
def test_every_option_is_told_priced_and_ordered(page: Page, shop: Shopfront, watch: Watch) -> None:
    watch.allow_status(400)
    token = shop.customer("alice", credits=300)
    shop.open(page, "/", token)
    open_product(page, shop, shop.products[0])
    boxes(page).nth(0).check()
    boxes(page).nth(1).check()
    prompt(page).fill("brighter")
    expect(options(page)).to_have_text("OptionsNano Banana, as the original, JPG")
    price(page, 2, 15)

    options(page).click()
    page.get_by_label("Model").select_option(label="Nano Banana 2, 30 credits")
    price(page, 2, 30)
    page.get_by_label("Shape").select_option(label="1:8 very tall")
    page.get_by_label("Model").select_option(label="Nano Banana Pro, from 60 credits")
    expect(page.get_by_label("Shape")).to_have_value("match_input_image")
    price(page, 2, 60)
    page.get_by_label("Resolution").select_option(label="4K, 120 credits")
    price(page, 2, 120)
    page.locator("label", has_text="PNG").click()
    expect(page.get_by_label("Quality")).to_be_hidden()
    page.locator("label", has_text="JPG").click()
    page.get_by_label("Quality").select_option("80")

    field = page.get_by_label("Reference images")
    field.fill("ftp://shop.example/style.jpg")
    field.press("Enter")
    expect(field).to_have_attribute("aria-invalid", "true")
    check_state(page, "options-wrong-reference")
    styles = [image["url"] for image in shop.images()[3:6]]
    for style in styles:
        field.fill(style)
        field.press("Enter")
        expect(page.get_by_label("Remove the reference")).to_have_count(styles.index(style) + 1)
    expect(field).to_be_hidden()
    page.get_by_label("Remove the reference").last.click()
    expect(field).to_be_focused()
    expect(options(page)).to_contain_text("Nano Banana Pro, 4K, as the original, JPG 80, 2 ref")
    check_state(page, "options")

    page.reload()
    expect(options(page)).to_contain_text("Nano Banana Pro, 4K, as the original, JPG 80, 2 ref")
    send(page).click()
    expect(receipt(page)).to_be_visible()
    assert shop.balance(token) == 300 - 2 * 120
    items = shop.job(token, shop.jobs(token)[0]["id"])["items"]
    for item in items:
        assert (item["model"], item["resolution"]) == ("google/nano-banana-pro", "4K")
        assert (item["outputFormat"], item["quality"]) == ("jpg", 80)
        assert item["referenceImageUrls"] == styles[:2]


@pytest.mark.every_look
def test_a_prompt_is_put_by_with_its_options_and_used_again(page: Page, shop: Shopfront) -> None:
    shop.open(page, "/", shop.customer("alice"))
    open_product(page, shop, shop.products[0])
    chosen, told = page.get_by_label("Preset", exact=True), page.locator(".presets [role=status]")
    name = page.get_by_label("Name of the preset")

    page.get_by_role("button", name="Save …").click()
    expect(name).to_be_focused()
    name.fill("Window")
    name.press("Enter")
    expect(told).to_have_text("Write a prompt first.")
    check_state(page, "preset-no-prompt")
    prompt(page).fill("white background")
    options(page).click()
    page.get_by_label("Shape").select_option("1:1")
    page.get_by_label("Model").select_option("google/nano-banana-2")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(told).to_have_text("“Window” is saved.")
    expect(chosen.locator("option:checked")).to_have_text("Window")

    open_product(page, shop, shop.products[1])
    boxes(page).nth(0).check()
    boxes(page).nth(1).check()
    page.locator("label", has_text="One each").click()
    page.locator(".each textarea").nth(1).focus()
    chosen.select_option(label="Window")
    expect(page.locator(".each textarea").nth(1)).to_have_value("white background")
    expect(page.locator(".each textarea").nth(0)).to_have_value("")
    expect(options(page)).to_contain_text("Nano Banana 2, 1K, 1:1 square, JPG")
    check_state(page, "preset-chosen")

    page.locator(".each textarea").nth(1).fill("grey background")
    page.get_by_role("button", name="Save …").click()
    expect(name).to_have_value("Window")
    page.get_by_role("button", name="Replace").click()
    expect(told).to_have_text("“Window” is saved.")
    chosen.select_option("")
    chosen.select_option(label="Window")
    expect(page.locator(".each textarea").nth(1)).to_have_value("grey background")
    page.get_by_role("button", name="Delete").click()
    expect(told).to_have_text("“Window” is deleted.")
    expect(chosen.locator("option")).to_have_text(["None yet"])
