"""Cancel on the page Ongoing, retry on the page Completed, and the links along the chain."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.ongoing import detail, items
from tests.browser.shopfront import Shopfront
from tests.browser.states import check_state
from tests.browser.watch import Watch


def button(part: Locator, name: str) -> Locator:
    return part.get_by_role("button", name=name, exact=True)


@pytest.mark.every_look
def test_an_image_and_then_the_job_are_canceled(page: Page, shop: Shopfront) -> None:
    token = shop.customer(credits=100)
    shop.hold()
    job = shop.order(token, images=3)
    page.clock.install()
    shop.open(page, "/ongoing", token)
    cancel = button(items(page).first, f"Cancel {shop.images()[0]['id']}")

    cancel.click()
    expect(items(page).first).to_contain_text("Its credits are given back.")
    expect(button(items(page).first, "No")).to_be_focused()
    check_state(page, "ongoing-cancel-asks")
    page.keyboard.press("Enter")
    expect(cancel).to_be_focused()
    cancel.click()
    button(items(page).first, "Yes, cancel it").click()
    expect(items(page).locator(".badge")).to_have_text(["Canceled", "Waiting", "Waiting"])
    expect(cancel).to_have_count(0)
    assert shop.balance(token) == 70

    button(detail(page), "Cancel job").click()
    expect(detail(page)).to_contain_text("Cancel what is left of this job?")
    button(detail(page), "Yes, cancel it").click()
    expect(items(page).locator(".badge")).to_have_text(["Canceled"] * 3)
    expect(page.locator(".toast")).to_contain_text(f"Job {job} is canceled")
    expect(button(detail(page), "Cancel job")).to_have_count(0)
    assert shop.balance(token) == 100
    check_state(page, "ongoing-canceled")


def test_what_was_sent_says_that_an_answer_is_awaited(page: Page, shop: Shopfront) -> None:
    token = shop.customer()
    away = [{"endpoint": each, "status": 503, "times": None} for each in ("get", "cancel")]
    shop.stand_in.knobs(faults=away, outcomes=[{"status": "processing"}])
    job = shop.order(token, images=1)
    shop.wait_for(token, job, "RUNNING")
    page.clock.install()
    shop.open(page, "/ongoing", token)

    button(detail(page), "Cancel job").click()
    button(detail(page), "Yes, cancel it").click()
    expect(items(page)).to_contain_text("To be canceled: the model has not answered yet.")
    expect(detail(page).get_by_role("button")).to_have_count(0)

    shop.go_on()
    shop.wait_for(token, job, "CANCELED")
    page.clock.fast_forward(5000)
    expect(items(page).locator(".badge")).to_have_text("Canceled")
    expect(page.locator(".toast").get_by_role("link")).to_have_attribute(
        "href", f"completed#job={job}"
    )


def test_a_cancel_that_comes_too_late_shows_what_became_of_it(
    page: Page, shop: Shopfront, watch: Watch
) -> None:
    watch.allow_status(409)
    token = shop.customer()
    shop.hold()
    shop.order(token, images=1)
    page.clock.install()
    shop.open(page, "/ongoing", token)
    button(detail(page), "Cancel job").click()
    shop.cancel_waiting()

    button(detail(page), "Yes, cancel it").click()

    expect(items(page).locator(".badge")).to_have_text("Canceled")
    expect(button(detail(page), "Cancel job")).to_have_count(0)


@pytest.mark.every_look
def test_failed_images_are_ordered_again_and_the_jobs_lead_to_each_other(
    page: Page, shop: Shopfront
) -> None:
    token = shop.customer(credits=100)
    shop.stand_in.knobs(canned_result=True)
    job = shop.order(token, images=2, prompt="nude [fail E005]")
    shop.wait_for(token, job)
    shop.hold()
    shop.open(page, "/completed", token)

    button(detail(page), "Retry failed images").click()
    expect(detail(page)).to_contain_text("Order 2 failed images again?")
    expect(detail(page)).to_contain_text("2 of them would most likely fail again.")
    check_state(page, "completed-retry-asks")
    button(detail(page), "Yes, order them").click()

    expect(page).to_have_url(re.compile(r"/ongoing#job=\d+$"))
    retry = int(page.url.rpartition("=")[2])
    expect(detail(page)).to_contain_text(f"A retry of job {job}")
    expect(items(page).locator(".badge")).to_have_text(["Waiting"] * 2)
    assert shop.balance(token) == 40
    detail(page).get_by_role("link", name=f"job {job}").click()
    expect(page).to_have_url(f"{shop.url}/completed#job={job}")
    onward = detail(page).get_by_role("link", name=f"Retried as job {retry}")
    expect(onward).to_be_visible()
    expect(button(detail(page), "Retry failed images")).to_have_count(0)
    check_state(page, "completed-retried")
    onward.click()
    expect(detail(page)).to_contain_text("This job is still under way")
