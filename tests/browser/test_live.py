"""The open job on the page Ongoing by a stream, and the line about the queue."""

import re

from playwright.sync_api import Page, Request, expect

from tests.browser.checks import check_accessible, check_fits, check_no_layout_shift
from tests.browser.ongoing import card, detail, items
from tests.browser.shopfront import Shopfront
from tests.browser.watch import Watch
from tests.service import wait_until

EVENTS = re.compile(r"/jobs/\d+/events$")
JOB = re.compile(r"/jobs/\d+$")


class Asked:
    """What a page asks for about one job."""

    def __init__(self, page: Page) -> None:
        self.streams: list[Request] = []
        self.looks = 0
        page.on("request", self._hear)

    def _hear(self, request: Request) -> None:
        if EVENTS.search(request.url):
            self.streams.append(request)
        self.looks += bool(JOB.search(request.url))


def test_a_stream_tells_how_the_open_job_goes_on_until_it_ends(page: Page, shop: Shopfront) -> None:
    token = shop.customer()
    shop.stand_in.knobs(canned_result=True)
    shop.hold()
    job = shop.order(token, images=2)
    asked = Asked(page)
    shop.open(page, "/ongoing", token)
    expect(items(page).locator(".badge")).to_have_text(["Waiting"] * 2)
    with page.expect_response(EVENTS) as stream:
        pass
    assert stream.value.headers["content-type"] == "text/event-stream"
    looks = asked.looks

    shop.go_on()

    expect(detail(page).get_by_role("link", name="See before and after")).to_be_visible()
    expect(items(page).locator(".badge")).to_have_text(["Done"] * 2)
    expect(card(page, job).locator(".badge")).to_have_text("Done")
    assert len(asked.streams) == 1
    # One may have been under way when the stream began.
    assert asked.looks <= looks + 1


def test_without_a_stream_the_job_is_asked_for_and_a_stream_is_tried_again(
    page: Page, shop: Shopfront, watch: Watch
) -> None:
    watch.allow_status(503)
    token = shop.customer()
    shop.hold()
    shop.order(token, images=1)
    asked = Asked(page)
    page.route(EVENTS, lambda route: route.fulfill(status=503, headers={"Retry-After": "30"}))
    page.clock.install()
    shop.open(page, "/ongoing", token)
    expect(items(page)).to_have_count(1)

    page.clock.run_for(2_000)
    wait_until(lambda: page.evaluate("1") and asked.streams, "a stream was asked for")
    looks = asked.looks
    page.clock.run_for(4_000)
    wait_until(lambda: page.evaluate("1") and asked.looks > looks, "the job is asked for")
    page.unroute(EVENTS)
    with page.expect_response(EVENTS) as stream:
        page.clock.run_for(61_000)

    assert stream.value.status == 200
    shop.cancel_waiting()
    expect(items(page).locator(".badge")).to_have_text(["Canceled"])


def test_the_line_about_the_queue_says_what_waits_and_why(page: Page, shop: Shopfront) -> None:
    token = shop.customer()
    shop.hold()
    shop.order(token, images=2)
    page.clock.install()
    shop.open(page, "/ongoing", token)
    line = page.locator(".queue")
    expect(line).to_have_text(
        "Paused by whoever runs Darkroom: nothing is sent meanwhile. 2 images wait."
    )
    check_no_layout_shift(page)
    check_fits(page)
    check_accessible(page)

    shop.keep_running()
    shop.room.limiter().resume()
    shop.room.waker.announce()
    shop.wait_for(token, shop.jobs(token)[0]["id"], "RUNNING")
    wait_until(
        lambda: (
            {item["status"] for item in shop.job(token, shop.jobs(token)[0]["id"])["items"]}
            == {"RUNNING"}
        ),
        "both run",
    )
    page.clock.fast_forward(5000)

    expect(line).to_have_text("2 are being made.")
