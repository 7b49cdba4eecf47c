"""The page Ongoing: what is under way, until it has ended."""

import re

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.browser.checks import check_accessible, check_fits, check_no_layout_shift
from tests.browser.looks import shoot
from tests.browser.ongoing import card, detail, items
from tests.browser.shopfront import Shopfront
from tests.browser.texts import IMAGE_ID, PRODUCT_NAME, PROMPT
from tests.browser.traffic import JOB, JOBS, Traffic, held_answers
from tests.browser.watch import Watch


def check(page: Page, name: str) -> None:
    """What every state must keep, and a picture of it."""
    check_no_layout_shift(page)
    check_fits(page)
    check_accessible(page)
    shoot(page, f"ongoing-{name}")


def toasts(page: Page) -> Locator:
    return page.locator(".toast")


def next_look(page: Page) -> None:
    """Let the pause of the list and of the open job be over, where `page.clock` is installed."""
    page.clock.fast_forward(5000)


@pytest.mark.every_look
def test_a_job_waits_runs_and_ends_before_ones_eyes(page: Page, shop: Shopfront) -> None:
    token = shop.customer()
    shop.hold()
    job = shop.order(token, images=3)
    page.clock.install()
    shop.open(page, "/ongoing", token)
    expect(items(page).locator(".badge")).to_have_text(["Waiting"] * 3)
    expect(items(page).nth(0)).to_contain_text("Your next image")
    expect(items(page).nth(2)).to_contain_text("2 of yours ahead")
    expect(card(page, job)).to_contain_text("0 of 3 images ready")
    expect(card(page, job).locator(".badge")).to_be_in_viewport(ratio=1)
    expect(items(page).locator("img").first).to_have_js_property("complete", True)
    check(page, "waiting")

    endings = [{"status": "succeeded"}, {"status": "processing"}, {"status": "processing"}]
    shop.stand_in.knobs(outcomes=endings)
    shop.go_on()
    shop.wait_for_images(token, job, 1)
    next_look(page)
    expect(card(page, job)).to_contain_text("1 of 3 images ready")
    expect(detail(page).get_by_role("progressbar")).to_have_js_property("value", 1)
    expect(items(page).locator(".badge", has_text="Done")).to_have_count(1)
    expect(items(page).locator(".badge", has_text="Running")).to_have_count(2)
    expect(detail(page)).not_to_contain_text("ahead")
    expect(page).to_have_title("(1) Ongoing · Darkroom")
    check(page, "running")

    shop.stand_in.reset()
    shop.go_on()
    shop.wait_for(token, job)
    next_look(page)
    expect(toasts(page)).to_contain_text("1 of 3 images of")
    expect(toasts(page).get_by_role("link")).to_have_attribute("href", f"completed#job={job}")
    expect(detail(page).get_by_role("link", name="See before and after")).to_be_visible()
    expect(card(page, job).locator(".badge")).to_have_text("Done")
    expect(page.get_by_text("Nothing else is under way.")).to_be_visible()
    expect(page).to_have_title("Ongoing · Darkroom")
    check(page, "ended")

    page.get_by_role("button", name="Close this message").click()
    next_look(page)
    expect(toasts(page)).to_have_count(0)


def test_the_progress_bar_moves_and_other_jobs_ends_are_told_once(
    page: Page, shop: Shopfront
) -> None:
    token = shop.customer()
    shop.stand_in.knobs(canned_result=True)
    shop.hold()
    other = shop.order(token, images=1)
    job = shop.order(token, images=3)
    traffic = Traffic(page)
    shop.open(page, "/ongoing", token)
    expect(items(page)).to_have_count(3)
    times = [{"status": "succeeded", "seconds": wait} for wait in (0, 1, 2, 3)]
    shop.stand_in.knobs(outcomes=times)

    shop.go_on()
    seen = []
    for ready in (1, 2, 3):
        shop.wait_for_images(token, job, ready)
        traffic.seconds(5)
        seen.append(detail(page).get_by_role("progressbar").evaluate("bar => bar.value"))

    assert seen == sorted(seen)
    assert seen[-1] == 3
    expect(toasts(page)).to_have_count(2)
    expect(toasts(page).filter(has_text=f"Job {other} is finished")).to_have_count(1)
    traffic.seconds(20)
    expect(toasts(page)).to_have_count(2)


def test_what_waits_says_when_it_is_expected_to_start(page: Page, shop: Shopfront) -> None:
    token = shop.customer()
    shop.stand_in.knobs(canned_result=True)
    jobs = [shop.order(token, images=10) for _ in range(5)]
    page.clock.install()
    shop.open(page, "/ongoing", token)

    expected = re.compile(r"\d+ of yours ahead, starts in \d+ seconds")
    expect(card(page, jobs[-1])).to_contain_text(expected)
    expect(detail(page)).to_contain_text(expected)

    shop.hold()
    next_look(page)
    expect(card(page, jobs[-1])).to_contain_text("ahead")
    expect(card(page, jobs[-1])).not_to_contain_text("starts")


def test_another_job_is_chosen_by_mouse_by_keyboard_and_by_its_address(
    page: Page, shop: Shopfront
) -> None:
    token = shop.customer()
    shop.hold()
    jobs = [shop.order(token, images=1) for _ in range(3)]
    oldest, middle, newest = jobs
    shop.open(page, "/ongoing", token)

    def is_open(job: int) -> None:
        expect(detail(page)).to_contain_text(f"Job {job} ·")
        expect(page.locator("[aria-current=true]")).to_contain_text(f"Job {job} ·")

    is_open(newest)
    card(page, middle).click()
    is_open(middle)
    card(page, oldest).focus()
    page.keyboard.press("Enter")
    is_open(oldest)
    expect(card(page, oldest)).to_be_focused()
    page.go_back()
    is_open(middle)
    page.go_back()
    is_open(newest)
    page.goto(f"{shop.url}/ongoing#job={oldest}")
    is_open(oldest)


@pytest.mark.every_look
def test_a_job_that_is_not_there_says_so_and_is_asked_for_once(
    page: Page, shop: Shopfront, watch: Watch
) -> None:
    watch.allow_status(404)
    stranger = shop.customer("bob")
    shop.hold()
    foreign = shop.order(stranger, images=1)
    traffic = Traffic(page)
    shop.open(page, f"/ongoing#job={foreign}")
    page.evaluate("token => sessionStorage.setItem('darkroom.token', token)", shop.customer())
    page.reload()

    expect(page.get_by_role("heading", name=f"There is no job {foreign}")).to_be_visible()
    traffic.settle()
    traffic.seconds(60)
    assert len(traffic.asked(JOB)) == 1
    page.clock.resume()
    check(page, "missing")


@pytest.mark.every_look
def test_nothing_is_under_way_and_then_something_is(page: Page, shop: Shopfront) -> None:
    token = shop.customer()
    page.clock.install()
    with held_answers(page):
        shop.open(page, "/ongoing", token)
        expect(page.get_by_role("status", name="Loading jobs")).to_be_visible()
        check(page, "loading")

    expect(page.get_by_role("heading", name="Nothing is under way")).to_be_visible()
    check(page, "empty")

    shop.hold()
    job = shop.order(token, images=1)
    next_look(page)
    expect(card(page, job)).to_be_visible()


@pytest.mark.every_look
def test_offline_shows_what_was_seen_and_goes_on_by_itself(
    page: Page, shop: Shopfront, watch: Watch, context: BrowserContext
) -> None:
    watch.allow_offline()
    token = shop.customer()
    shop.hold()
    shop.order(token, images=2)
    page.clock.install()
    shop.open(page, "/ongoing", token)
    expect(items(page)).to_have_count(2)

    context.set_offline(True)
    next_look(page)
    expect(page.get_by_text("You are offline. This is how it was at")).to_be_visible()
    expect(items(page)).to_have_count(2)
    check(page, "offline")

    context.set_offline(False)
    expect(page.get_by_text("Keeps itself up to date.")).to_be_visible()


@pytest.mark.every_look
def test_nobody_answers_when_the_page_is_opened(page: Page, shop: Shopfront, watch: Watch) -> None:
    watch.allow_status(503)
    watch.allow(r"net::ERR_CONNECTION_REFUSED")
    token = shop.customer()
    page.route(JOBS, lambda route: route.abort("connectionrefused"))
    shop.open(page, "/ongoing", token)
    expect(page.get_by_role("heading", name="Darkroom cannot be reached")).to_be_visible()
    check(page, "away")

    page.unroute(JOBS)
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("heading", name="Nothing is under way")).to_be_visible()


@pytest.mark.every_look
def test_more_jobs_than_a_page_and_texts_of_any_length(page: Page, shop: Shopfront) -> None:
    token = shop.customer()
    shop.hold()
    for _ in range(20):
        shop.order(token, images=1)
    first = shop.images()[0]["url"]
    image = {"imageId": IMAGE_ID, "imageUrl": first, "prompt": PROMPT}
    long = shop.order_images(token, [image, {**image, "imageId": "b"}], productName=PRODUCT_NAME)
    shop.open(page, "/ongoing", token)
    cards = page.locator("a.job")
    expect(cards).to_have_count(20)
    expect(card(page, long)).to_contain_text(PRODUCT_NAME)
    expect(items(page).first).to_contain_text(IMAGE_ID)
    expect(items(page).first).to_contain_text(PROMPT)
    check(page, "many")

    page.get_by_role("button", name="Show more").click()
    expect(cards).to_have_count(21)
    expect(page.get_by_role("button", name="Show more")).to_have_count(0)
