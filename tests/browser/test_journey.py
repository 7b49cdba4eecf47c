"""The manual testing list of the product's description, walked as a shop owner walks it."""

import re

from playwright.sync_api import Locator, Page, expect

from tests.browser.shopfront import LONG, Shopfront
from tests.browser.watch import Watch

JOB_ON_ITS_WAY = re.compile(r"^Job (\d+) is on its way$")
PROMPTS = ["White studio background", "Black and white", "Warmer light, like a sunset"]


def find_product(page: Page) -> None:
    """Search with what comes into one's head first, and then with less."""
    search = page.get_by_label("Search products")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    search.press_sequentially("espresso machine", delay=10)
    expect(page.get_by_text("0 products for “espresso machine”")).to_be_visible()
    expect(page.get_by_role("heading", name="No product has this name")).to_be_visible()
    # It waits for the end of the typing, however fast that is.
    assert len([url for url in asked if "/api/products?query=" in url]) <= 2

    search.fill("")
    expect(page.get_by_text("20 products shown, there are more")).to_be_visible()
    search.fill("espresso")
    expect(page.get_by_text("2 products for “espresso”")).to_be_visible()


def choose_three_images_with_the_keyboard(page: Page) -> None:
    """From the search field to the product, and through its images."""
    page.get_by_label("Search products").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_be_focused()
    for _ in range(3):
        page.keyboard.press("Tab")
    images = page.locator(".images input")
    expect(images.nth(0)).to_be_focused()

    page.keyboard.press("Control+a")
    expect(page.get_by_text("5 of up to 10 chosen")).to_be_visible()
    page.keyboard.press("End")
    expect(images.nth(4)).to_be_focused()
    page.keyboard.press("Space")
    page.keyboard.press("ArrowRight")
    expect(images.nth(4)).to_be_focused()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Space")
    page.keyboard.press("Home")
    page.keyboard.press("ArrowDown")
    columns = page.locator(".images").evaluate(
        "(grid) => getComputedStyle(grid).gridTemplateColumns.split(' ').length"
    )
    expect(images.nth(columns)).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(images.nth(0)).to_be_focused()
    expect(page.get_by_text("3 of up to 10 chosen")).to_be_visible()


def prompts(page: Page) -> Locator:
    """The fields for one prompt each."""
    return page.locator(".each textarea")


def write_prompts(page: Page) -> None:
    """One for all by a suggestion, and then one each; then shape and format."""
    page.get_by_role("button", name=PROMPTS[0]).click()
    expect(page.get_by_label("Prompt for all images")).to_have_value(PROMPTS[0])
    page.get_by_label("One each").check(force=True)
    for place in range(3):
        expect(prompts(page).nth(place)).to_have_value(PROMPTS[0])
    prompts(page).nth(1).fill("")
    page.get_by_role("button", name=PROMPTS[1]).click()
    prompts(page).nth(2).fill(PROMPTS[2])
    page.locator("summary", has_text="Options").click()
    page.get_by_label("Shape").select_option(label="1:1 square")
    page.get_by_label("PNG").check(force=True)


def send(page: Page) -> int:
    """See what it costs, and send it; return the job's id."""
    expect(page.locator(".cost")).to_contain_text(re.compile("^3 images . 15 credits45"))
    expect(page.locator(".cost .total")).to_have_text("Left after this55")
    expect(page.locator(".balance strong")).to_have_text("100")
    page.get_by_role("button", name="Optimize 3 images").click()
    heading = page.get_by_role("heading", name=JOB_ON_ITS_WAY)
    expect(heading).to_be_focused()
    expect(page.get_by_text("45 credits charged, 55 left.")).to_be_visible()
    expect(page.locator(".balance strong")).to_have_text("55")
    found = JOB_ON_ITS_WAY.match(heading.inner_text())
    assert found
    return int(found[1])


def progress(page: Page, images: int) -> None:
    """Return once the bar of the open job has come so far."""
    bar = page.get_by_label("Progress of the open job")
    expect(bar).to_have_js_property("value", images)
    expect(bar).to_have_js_property("max", 3)


def watch_it_being_made(page: Page, shop: Shopfront) -> None:
    """See two images end and the third wait, because Replicate is busy; and then that one too."""
    page.get_by_role("link", name="Watch the progress").click()
    expect(page.get_by_role("list", name="Ongoing jobs")).to_contain_text(
        "Espresso Cup with Saucer, Terracotta"
    )
    expect(page.locator(".item .badge")).to_have_text(["Waiting"] * 3)
    progress(page, 0)

    shop.stand_in.knobs(throttle={"count": 2, "window": LONG, "retry_after": int(LONG)})
    shop.go_on()
    progress(page, 2)
    expect(page.locator(".item .badge")).to_have_text(["Done", "Done", "Waiting"])

    shop.stand_in.knobs(throttle=None)
    shop.go_on()
    progress(page, 3)
    expect(page.locator(".item .badge")).to_have_text(["Done"] * 3)


def compare(page: Page) -> None:
    """Before and after, small and large."""
    page.locator(".toast").get_by_role("link", name="See before and after").click()
    expect(page.get_by_role("heading", name="Completed", exact=True)).to_be_visible()
    expect(page.locator(".pairs > li")).to_have_count(3)
    for prompt in PROMPTS:
        expect(page.locator(".pairs").get_by_text(prompt, exact=True)).to_be_visible()
    page.locator(".pair").first.click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("1 of 3")).to_be_visible()
    for kind in ("before", "after"):
        shown = dialog.locator(f"img.{kind}")
        expect(shown).to_have_js_property("complete", True)
        assert shown.evaluate("(image) => image.naturalWidth") > 0
    page.keyboard.press("ArrowRight")
    expect(dialog.get_by_role("slider")).to_have_attribute("aria-valuetext", re.compile("^51 %"))
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()


def test_a_shop_owner_orders_watches_and_compares(page: Page, shop: Shopfront) -> None:
    token = shop.customer("alice", credits=100)
    shop.hold()
    shop.open(page, "/", token)
    find_product(page)
    choose_three_images_with_the_keyboard(page)
    write_prompts(page)
    job = send(page)

    cup = shop.products[0]
    ordered = shop.job(token, job)["items"]
    assert [item["imageId"] for item in ordered] == [image["id"] for image in cup["images"][:3]]
    assert [item["prompt"] for item in ordered] == PROMPTS
    assert shop.balance(token) == 55

    watch_it_being_made(page, shop)
    expect(page.locator(".toast")).to_contain_text(f"Job {job} is finished")
    assert shop.job(token, job)["job"]["completedImages"] == 3
    made = [create["input"] for create in shop.stand_in.creates()]
    assert [each["prompt"] for each in made] == PROMPTS
    assert {(each["aspect_ratio"], each["output_format"]) for each in made} == {("1:1", "png")}
    compare(page)


def test_a_shop_owner_meets_every_error_of_the_list(
    page: Page, shop: Shopfront, watch: Watch
) -> None:
    # The picture at an address that leads to nothing is not found.
    watch.allow_status(400, 404)
    token = shop.customer("alice", credits=20)
    shop.open(page, "/", token)
    page.get_by_role("link", name="Choose images by their addresses").click()
    address = page.get_by_label("Add an image by its address")
    send = page.locator("#order button[type=submit]")

    address.fill("shop.example/cup.jpg")
    address.press("Enter")
    expect(page.locator(".address .fault")).to_contain_text("http")
    expect(address).to_be_focused()
    address.fill(f"{shop.stand_in.url}/shop/gone.jpg")
    address.press("Enter")
    expect(send).to_have_text("Optimize 1 image")

    send.click()
    expect(page.get_by_text("Say what should be done with the image.")).to_be_visible()
    prompt = page.get_by_label("Prompt for all images")
    expect(prompt).to_be_focused()
    prompt.fill("brighter")

    address.fill(shop.images()[0]["url"])
    address.press("Enter")
    expect(page.get_by_text("Choose up to 1 image, or wait until")).to_be_visible()
    expect(send).to_have_attribute("aria-disabled", "true")
    assert shop.jobs(token) == []

    page.locator(".images input").nth(1).uncheck()
    send.click()
    expect(page.get_by_role("heading", name=JOB_ON_ITS_WAY)).to_be_visible()
    shop.wait_for(token, shop.jobs(token)[0]["id"], "FAILED")
    page.get_by_role("link", name="Completed").click()
    expect(page.get_by_text("The image could not be read from its address.")).to_be_visible()
    expect(page.locator(".balance strong")).to_have_text("5")
