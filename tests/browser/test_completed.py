"""The page Completed: what became of every image, and nothing that is refreshed by itself."""

import re
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.checks import check_accessible, check_fits, check_no_layout_shift
from tests.browser.looks import shoot
from tests.browser.pictures import await_placeholder
from tests.browser.shopfront import Shopfront
from tests.browser.texts import IMAGE_ID, PRODUCT_NAME, PROMPT
from tests.browser.traffic import JOBS, LIST, Traffic, held_answers
from tests.browser.watch import Watch


def check(page: Page, name: str) -> None:
    """What every state must keep, and a picture of it."""
    page.evaluate("scrollTo(0, 0)")
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


def canceled(shop: Shopfront, token: str, jobs: int) -> list[int]:
    """Jobs that ended at once, oldest first."""
    shop.hold()
    ids = [shop.order(token, images=1) for _ in range(jobs)]
    shop.cancel_waiting()
    return ids


@pytest.mark.every_look
def test_every_image_says_what_became_of_it(page: Page, shop: Shopfront, watch: Watch) -> None:
    watch.allow_status(404)
    token = shop.customer()
    images = [
        {"imageId": image["id"], "imageUrl": image["url"], "prompt": prompt}
        for image, prompt in zip(
            shop.images(),
            ["white background", "brighter", "nude [fail E005]", "sharper [hang processing]"],
            strict=False,
        )
    ]
    gone = {"imageId": "gone", "imageUrl": f"{shop.stand_in.url}/gone.jpg", "prompt": "brighter"}
    job = shop.order_images(token, [*images, gone])
    shop.wait_for_images(token, job, 4)
    # What was still running is lost with the stand-in's memory.
    shop.stand_in.reset()
    shop.go_on()
    items = shop.wait_for(token, job)["items"]
    failed = {item["imageId"]: item for item in items if item["status"] == "FAILED"}
    page.clock.install()
    shop.open(page, "/completed", token)

    pairs = detail(page).locator(".pairs > .item")
    expect(pairs).to_have_count(2)
    expect(pairs.first).to_contain_text("white background")
    expect(pairs.first.get_by_role("img")).to_have_count(2)
    rows = detail(page).locator(".failed-item")
    expect(rows).to_have_count(3)
    for name, item in failed.items():
        row = rows.filter(has=page.get_by_role("heading", name=name, exact=True))
        expect(row).to_contain_text(item["error"])
        expect(row).to_contain_text(item["errorCode"])
        again = "may help" if item["retryable"] else "would not help"
        expect(row).to_contain_text(again)
        charged = item["creditsCharged"]
        expect(row).to_contain_text(f"{charged} credits charged" if charged else "given back")
    loaded(page, pairs.get_by_role("img"))
    await_placeholder(page, rows.last)
    check(page, "mixed")


@pytest.mark.every_look
def test_canceled_images_and_texts_of_any_length(page: Page, shop: Shopfront) -> None:
    token = shop.customer()
    url = shop.images()[0]["url"]
    done = {"imageId": IMAGE_ID, "imageUrl": url, "prompt": PROMPT}
    failed = {**done, "imageId": IMAGE_ID[:-1], "prompt": f"[fail E005] {PROMPT}"[:2000]}
    long = shop.order_images(token, [done, failed], productName=PRODUCT_NAME)
    shop.wait_for(token, long)
    shop.hold()
    job = shop.order(token, images=2)
    shop.cancel_waiting()
    shop.open(page, "/completed", token)

    rows = detail(page).locator(".failed-item")
    expect(rows.locator(".badge")).to_have_text(["Canceled", "Canceled"])
    expect(rows.first).to_contain_text("Its credits were given back.")
    expect(detail(page)).to_contain_text(f"Job {job} ·")
    expect(detail(page)).to_contain_text("0 credits")
    check(page, "canceled")

    cards(page).last.click()
    expect(detail(page).get_by_role("heading", level=2)).to_have_text(PRODUCT_NAME)
    expect(detail(page).locator(".pairs")).to_contain_text(IMAGE_ID)
    expect(detail(page).locator(".pairs")).to_contain_text(PROMPT)
    expect(rows).to_contain_text(IMAGE_ID[:-1])
    loaded(page, detail(page).get_by_role("img"))
    check(page, "long")


def test_nothing_is_asked_for_by_itself_but_by_the_button(page: Page, shop: Shopfront) -> None:
    token = shop.customer()
    canceled(shop, token, jobs=1)
    traffic = Traffic(page)
    shop.open(page, "/completed", token)
    expect(cards(page)).to_have_count(1)
    traffic.settle()

    assert traffic.seconds(30) == []
    traffic.hide()
    assert traffic.during(lambda: traffic.hide(False)) == []

    canceled(shop, token, jobs=1)
    refresh = page.get_by_role("button", name="Refresh")
    assert len(traffic.during(refresh.click, LIST)) == 1
    expect(cards(page)).to_have_count(2)
    expect(refresh).to_be_focused()


def test_pages_of_jobs_and_filters(page: Page, shop: Shopfront) -> None:
    token = shop.customer()
    shop.stand_in.knobs(canned_result=True)
    failed = shop.order(token, images=1, prompt="[fail E005]")
    done = shop.order(token, images=1)
    shop.wait_for(token, failed)
    shop.wait_for(token, done)
    stopped = canceled(shop, token, jobs=24)
    shop.open(page, "/completed", token)

    def lists(*jobs: int) -> None:
        addresses = [f"#job={job}" for job in jobs]
        expect(cards(page)).to_have_count(len(jobs))
        assert [card.get_attribute("href") for card in cards(page).all()] == addresses

    newest = list(reversed(stopped))
    expect(cards(page)).to_have_count(20)
    lists(*newest[:20])
    page.get_by_role("button", name="Show more").dblclick()
    expect(cards(page)).to_have_count(26)
    lists(*newest, done, failed)
    expect(page.get_by_role("button", name="Show more")).to_have_count(0)

    cards(page).nth(2).click()
    expect(detail(page)).to_contain_text(f"Job {newest[2]} ·")
    expect(cards(page).nth(2)).to_be_focused()
    page.get_by_role("radio", name="Failed").check(force=True)
    expect(detail(page)).to_contain_text(f"Job {failed} ·")
    lists(failed)
    page.keyboard.press("ArrowLeft")
    expect(detail(page)).to_contain_text(f"Job {done} ·")
    lists(done)
    page.get_by_role("radio", name="All").check(force=True)
    expect(cards(page)).to_have_count(20)


def test_a_result_is_downloaded_as_the_file_that_was_made(
    page: Page, shop: Shopfront, tmp_path: Path
) -> None:
    token = shop.customer()
    item = shop.wait_for(token, shop.order(token, images=1))["items"][0]
    shop.open(page, "/completed", token)

    with page.expect_download() as loading:
        page.get_by_role("link", name=f"Download {item['imageId']}").click()

    address = f"{shop.url}{item['optimizedImageUrl']}"
    assert loading.value.url == f"{address}?download=true"
    assert re.fullmatch(r"[0-9a-f]{32}\.jpg", loading.value.suggested_filename)
    file = tmp_path / "result"
    loading.value.save_as(file)
    assert file.read_bytes() == httpx.get(address, trust_env=False).content


@pytest.mark.every_look
def test_loading_nothing_yet_nobody_there_and_no_such_job(
    page: Page, shop: Shopfront, watch: Watch
) -> None:
    watch.allow_status(404, 503)
    token = shop.customer()
    with held_answers(page):
        shop.open(page, "/completed", token)
        expect(page.get_by_role("status", name="Loading jobs")).to_be_visible()
        check(page, "loading")
    expect(page.get_by_role("heading", name="Nothing is completed yet")).to_be_visible()
    check(page, "empty")

    page.get_by_role("radio", name="Failed").check(force=True)
    expect(page.get_by_role("heading", name="No job has ended like this")).to_be_visible()
    shoot(page, "completed-none-of-a-kind")

    page.route(JOBS, lambda route: route.fulfill(status=503))
    page.get_by_role("button", name="Refresh").click()
    expect(page.get_by_role("button", name="Try again")).to_be_visible()
    check(page, "away")

    page.unroute(JOBS)
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("heading", name="No job has ended like this")).to_be_visible()
    page.evaluate("location.hash = '#job=999999'")
    expect(page.get_by_role("heading", name="There is no job 999999")).to_be_visible()
    check(page, "missing")


def test_a_job_that_is_still_under_way_leads_to_its_progress(page: Page, shop: Shopfront) -> None:
    token = shop.customer()
    shop.hold()
    job = shop.order(token, images=1)
    shop.open(page, "/completed", token)
    page.evaluate(f"location.hash = '#job={job}'")

    page.get_by_role("link", name="watch its progress").click()

    expect(page).to_have_url(f"{shop.url}/ongoing#job={job}")
