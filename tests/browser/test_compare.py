"""The comparison of before and after: a slider for the mouse, a finger and the keyboard."""

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.browser.checks import check_accessible, check_fits, check_no_layout_shift
from tests.browser.looks import LOOKS, Look, shoot
from tests.browser.pictures import LANDSCAPE, PORTRAIT, SMALL, WIDE, await_placeholder, picture_of
from tests.browser.shopfront import Shopfront
from tests.browser.texts import IMAGE_ID, PROMPT
from tests.browser.watch import Watch

# How far the line is from the left of the pictures, and how far the one on top is cut off.
SPLIT = """() => {
  const [viewer, line] = [".viewer", ".split"].map((each) =>
    document.querySelector(each).getBoundingClientRect());
  const cut = getComputedStyle(document.querySelector(".viewer .after")).clipPath;
  const share = (line.left + line.width / 2 - viewer.left) / viewer.width;
  return [Math.round(share * 100), Math.round(parseFloat(cut.match(/([\\d.]+)%\\)$/)[1]))];
}"""
# Both pictures, the line and the slider's thumb lie in the window.
INSIDE = """() => [".viewer", ".comparison-top", ".comparison-end"].every((each) => {
  const { left, top, right, bottom } = document.querySelector(each).getBoundingClientRect();
  return left >= 0 && top >= 0 && right <= innerWidth && bottom <= innerHeight;
})"""


def dialog(page: Page) -> Locator:
    return page.get_by_role("dialog")


def slider(page: Page) -> Locator:
    return dialog(page).get_by_role("slider", name="Before to after")


def stands_at(page: Page, share: int) -> None:
    """The value, its words, the line and the cut agree."""
    expect(slider(page)).to_have_value(str(share))
    words = f"{share} % before, {100 - share} % after"
    expect(slider(page)).to_have_attribute("aria-valuetext", words)
    assert page.evaluate(SPLIT) == [share, share]


def pictures_are_there(page: Page) -> None:
    for picture in dialog(page).locator(".viewer img").all():
        expect(picture).not_to_have_js_property("naturalWidth", 0)


def finished(shop: Shopfront, images: int = 3) -> str:
    """A shop with one job that is done; its token."""
    token = shop.customer()
    shop.wait_for(token, shop.order(token, images=images))
    return token


def drag(page: Page, share: float) -> None:
    """Take the thumb with the mouse to that share of the picture's width."""
    box = dialog(page).locator(".viewer").bounding_box()
    assert box
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] / 2, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * share, middle, steps=5)
    page.mouse.up()


def test_it_is_opened_moved_and_left_by_mouse_and_by_keyboard(page: Page, shop: Shopfront) -> None:
    shop.open(page, "/completed", finished(shop))
    openers = page.get_by_role("button", name="Compare coffee-cup")
    pair = openers.first

    pair.click()
    expect(slider(page)).to_be_focused()
    pictures_are_there(page)
    stands_at(page, 50)
    for key, share in [("ArrowRight", 51), ("ArrowLeft", 50), ("Home", 0), ("End", 100)]:
        page.keyboard.press(key)
        stands_at(page, share)
    page.keyboard.press("Escape")
    expect(dialog(page)).to_have_count(0)
    expect(pair).to_be_focused()

    openers.nth(1).focus()
    page.keyboard.press("Enter")
    stands_at(page, 50)
    drag(page, 0.2)
    expect(slider(page)).to_have_value("20")
    stands_at(page, 20)
    drag(page, -0.5)
    dialog(page).get_by_role("button", name="Close").click()
    expect(openers.nth(1)).to_be_focused()


def test_previous_and_next_go_round_and_focus_stays_inside(page: Page, shop: Shopfront) -> None:
    shop.open(page, "/completed", finished(shop))
    page.get_by_role("button", name="Compare coffee-cup").first.click()
    names = page.locator(".pairs h3").all_inner_texts()
    title = dialog(page).get_by_role("heading")
    assert len(names) == 3

    for place in (1, 2, 0):
        dialog(page).get_by_role("button", name="Next").click()
        expect(title).to_have_text(names[place])
        expect(dialog(page)).to_contain_text(f"{place + 1} of 3")
    dialog(page).get_by_role("button", name="Previous").click()
    expect(title).to_have_text(names[2])
    result = page.locator(".pairs").get_by_role("link").last.get_attribute("href")
    assert result
    expect(dialog(page).get_by_role("link", name="Download")).to_have_attribute("href", result)
    pictures_are_there(page)

    for _ in range(8):
        page.keyboard.press("Tab")
        # Behind the last one come the browser's own buttons: the page then sees its body.
        assert page.evaluate("document.activeElement.matches('dialog, dialog *, body')")


@pytest.mark.parametrize("look", [LOOKS[0]], ids=str)
def test_a_finger_moves_it(
    new_context: Callable[..., BrowserContext], shop: Shopfront, look: Look
) -> None:
    page = new_context(has_touch=True).new_page()
    shop.open(page, "/completed", finished(shop, images=1))
    page.get_by_role("button", name="Compare coffee-cup").first.tap()
    pictures_are_there(page)
    box = dialog(page).locator(".viewer").bounding_box()
    assert box
    height = box["y"] + box["height"] / 2

    page.touchscreen.tap(box["x"] + box["width"] * 0.25, height)
    expect(slider(page)).to_have_value("25")

    touch = page.context.new_cdp_session(page)
    for kind, share in [("Start", 0.25), ("Move", 0.4), ("Move", 0.7), ("End", None)]:
        points = [] if share is None else [{"x": box["x"] + box["width"] * share, "y": height}]
        touch.send("Input.dispatchTouchEvent", {"type": f"touch{kind}", "touchPoints": points})
    expect(slider(page)).to_have_value("70")
    stands_at(page, 70)


@pytest.mark.every_look
def test_pictures_of_any_shape_fit(page: Page, shop: Shopfront) -> None:
    token = shop.customer()
    sizes = {"portrait": PORTRAIT, "landscape": LANDSCAPE, "wide": WIDE, "small": SMALL}
    images = [
        {"imageId": name, "imageUrl": shop.upload(picture_of(size)), "prompt": "brighter"}
        for name, size in sizes.items()
    ]
    other = {**images[0], "imageId": IMAGE_ID, "prompt": PROMPT, "aspectRatio": "16:9"}
    shop.wait_for(token, shop.order_images(token, [*images, other]))
    shop.open(page, "/completed", token)
    page.get_by_role("button", name="Compare portrait").first.click()

    for name in [*sizes, IMAGE_ID]:
        expect(dialog(page).get_by_role("heading")).to_have_text(name)
        pictures_are_there(page)
        stands_at(page, 50)
        assert page.evaluate(INSIDE)
        check_fits(page)
        shoot(page, f"compare-{name if name in sizes else 'other-shape'}")
        dialog(page).get_by_role("button", name="Next").click()
    check_no_layout_shift(page)
    check_accessible(page)


def test_what_a_shop_has_taken_away_since_has_a_placeholder(
    page: Page, shop: Shopfront, watch: Watch
) -> None:
    watch.allow_status(404)
    token = shop.customer()
    shop.stand_in.knobs(canned_result=True)
    gone = {"imageId": "gone", "imageUrl": f"{shop.stand_in.url}/gone.jpg", "prompt": "brighter"}
    shop.wait_for(token, shop.order_images(token, [gone]))
    page.clock.install()
    shop.open(page, "/completed", token)

    await_placeholder(page, page.locator("button.pair"))
    page.get_by_role("button", name="Compare gone").first.click()
    expect(dialog(page).locator(".before")).to_have_text("No picture: Before: gone")
    expect(dialog(page).locator("img.after")).not_to_have_js_property("naturalWidth", 0)
    expect(dialog(page).get_by_role("button", name="Next")).to_have_count(0)
    check_accessible(page)
    shoot(page, "compare-gone")
