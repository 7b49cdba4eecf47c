"""How often the page Ongoing asks the API, and when it does not."""

from playwright.sync_api import Page, expect

from tests.browser.ongoing import card, items
from tests.browser.shopfront import Shopfront
from tests.browser.traffic import JOB, JOBS, LIST, Traffic, held_answers
from tests.browser.watch import Watch
from tests.service import wait_until


def test_the_list_is_asked_for_every_5_seconds_and_the_open_job_every_3(
    page: Page, shop: Shopfront
) -> None:
    token = shop.customer()
    shop.hold()
    job = shop.order(token, images=2)
    traffic = Traffic(page)
    shop.open(page, "/ongoing", token)
    expect(items(page)).to_have_count(2)
    card(page, job).focus()

    traffic.settle()
    first = len(traffic.statuses)
    assert [(each.second, each.tag) for each in traffic.asked(LIST)] == [(0, None)]
    assert traffic.seconds(30, JOBS.pattern) == [
        3,
        5,
        6,
        9,
        10,
        12,
        15,
        15,
        18,
        20,
        21,
        24,
        25,
        27,
        30,
        30,
    ]
    assert [each.second for each in traffic.asked(LIST)] == [0, 5, 10, 15, 20, 25, 30]
    assert all(each.tag for each in traffic.all if each.second > 0)
    assert set(traffic.statuses[first:]) == {304}
    assert traffic.most_at_once == 1
    expect(card(page, job)).to_be_focused()

    traffic.hide()
    assert traffic.seconds(60) == []

    shown = traffic.during(lambda: traffic.hide(False))
    assert len(shown) == 4
    assert traffic.seconds(5) == [3, 5, 5, 5]


def test_after_failures_it_asks_ever_more_rarely_and_as_the_service_wants(
    page: Page, shop: Shopfront, watch: Watch
) -> None:
    watch.allow_status(503)
    token = shop.customer()
    shop.hold()
    shop.order(token, images=1)
    traffic = Traffic(page)
    shop.open(page, "/ongoing", token)
    expect(items(page)).to_have_count(1)
    traffic.settle()

    page.route(JOBS, lambda route: route.fulfill(status=503))
    assert traffic.seconds(200, LIST) == [5, 15, 35, 75, 135, 195]
    assert [each.second for each in traffic.asked(JOB)] == [0, 3, 9, 21, 45, 93, 153]
    expect(page.get_by_text("This is how it was at")).to_be_visible()
    expect(items(page)).to_have_count(1)

    page.unroute(JOBS)
    assert traffic.seconds(66, LIST) == [55, 60, 65]
    expect(page.get_by_text("Keeps itself up to date.")).to_be_visible()

    page.route(JOBS, lambda route: route.fulfill(status=503, headers={"Retry-After": "90"}))
    assert traffic.seconds(60, LIST) == [4]
    traffic.hide()
    traffic.seconds(10)
    assert traffic.during(lambda: traffic.hide(False), JOBS.pattern) == []
    assert traffic.seconds(30, LIST) == [24]
    assert traffic.most_at_once == 1


def test_what_is_wanted_while_an_answer_is_awaited_needs_no_further_pause(
    page: Page, shop: Shopfront
) -> None:
    token = shop.customer()
    shop.hold()
    older, newer = shop.order(token, images=1), shop.order(token, images=2)
    traffic = Traffic(page)
    shop.open(page, "/ongoing", token)
    expect(items(page)).to_have_count(2)
    traffic.settle()

    with held_answers(page) as held:
        page.clock.run_for(15_000)
        card(page, older).click()
        page.evaluate("dispatchEvent(new Event('online'))")
        wait_until(lambda: page.evaluate("fetchesUnderWay") and len(held) == 3, "three questions")
        jobs = traffic.asked(JOBS.pattern)
        asked = [each.url.rpartition("/")[2] for each in jobs if each.second == 0]
        assert asked[-3:-1] == [str(newer), "jobs?status=PENDING%2CRUNNING&limit=20"]
        assert asked[-1] == str(older)
    traffic.settle()

    expect(items(page)).to_have_count(1)
    assert len(traffic.asked(LIST)) == 3
