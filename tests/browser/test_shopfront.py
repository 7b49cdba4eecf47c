"""The service that page tests share: jobs stay as long as a test wants, and it is left clean."""

from playwright.sync_api import Page

from tests.browser.shopfront import Shopfront
from tests.browser.watch import Watch


def test_a_job_waits_runs_and_ends_when_the_test_wants(shop: Shopfront) -> None:
    token = shop.customer("alice", credits=45)
    shop.hold()
    job = shop.order(token, images=3)
    assert shop.job(token, job)["job"]["status"] == "PENDING"

    shop.go_on()
    shop.keep_running()
    shop.wait_for(token, job, "RUNNING")
    shop.stand_in.wait_for(lambda stand_in: len(stand_in.creates()) == 3, "three creates")
    assert shop.job(token, job)["job"]["completedImages"] == 0

    shop.go_on()
    assert shop.wait_for(token, job)["job"]["completedImages"] == 3


def test_an_image_fails_when_the_test_wants(shop: Shopfront) -> None:
    token = shop.customer("alice")
    shop.stand_in.knobs(outcomes=[{"status": "failed", "error": "flagged as sensitive (E005)"}])

    shown = shop.wait_for(token, shop.order(token, images=2))

    assert sorted(item["status"] for item in shown["items"]) == ["DONE", "FAILED"]


def test_what_one_test_left_waiting_keeps_nobody_waiting(shop: Shopfront) -> None:
    alice, bob = shop.customer("alice"), shop.customer("bob")
    shop.hold()
    left = shop.order(alice, images=3)

    shop.clear()

    assert shop.wait_for(bob, shop.order(bob, images=1))["job"]["status"] == "DONE"
    assert shop.job(alice, left)["job"]["status"] == "CANCELED"


def test_a_page_is_opened_with_its_token(page: Page, shop: Shopfront, watch: Watch) -> None:
    watch.allow_status(404)

    shop.open(page, "/no-such-page", "token-of-alice")

    assert page.url == f"{shop.url}/no-such-page#token=token-of-alice"
