"""The page Usage: bars, numbers and tables of what a shop has used, for every pair of eyes."""

import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, Route, expect
from sqlalchemy import insert, select

from models import accounts, analytics, durations, usage
from models.database import db, transaction
from models.tables import DailyCount, DailyDuration, DailyError, Instance, MonthlyPrompt
from tests.browser.shopfront import Shopfront
from tests.browser.states import check_state
from tests.browser.texts import PROMPT
from tests.browser.watch import Watch

ANALYTICS = re.compile(r"/api/analytics\?")
PROMPTS = ["White studio background", "Brighter, natural light", PROMPT]


def write_history(shop: Shopfront, token: str, days: int) -> date:
    """Let a shop have used something on so many days before today, whose images are long deleted;
    return today."""
    with shop.room.app.app_context():
        owner = select(Instance.id).where(Instance.token_hash == accounts.hash_token(token))
        with db.engine.connect() as connection:
            instance = connection.execute(owner).scalar_one()
        today = usage.today()
        _write_days(instance, [today - timedelta(n) for n in range(1, days + 1)])
    return today


@transaction
def _write_days(session, instance: int, days: list[date]) -> None:  # type: ignore[no-untyped-def]
    analytics.note_deleted(session, datetime.combine(days[0], datetime.max.time(), UTC))
    months: dict[date, int] = {}
    for n, day in enumerate(days):
        # A shop that is closed on Sundays and grows.
        done = 0 if day.weekday() == 6 else max(3, 40 - n // 3) + n * 7 % 11
        failed, canceled = n % 4, int(n % 9 == 0)
        keys = {"instance_id": instance, "day": day}
        counts = {"done": done, "failed": failed, "canceled": canceled}
        session.execute(insert(DailyCount).values(**keys, **counts, credits=15 * (done + failed)))
        for share, seconds in ((done - done // 5, 17), (done // 5, 95)):
            if share:
                bucket = durations.bucket_of(seconds)
                session.execute(insert(DailyDuration).values(**keys, bucket=bucket, images=share))
        if failed:
            code = ("model_failed", "bad_image_url", "expired")[n % 3]
            session.execute(insert(DailyError).values(**keys, error_code=code, images=failed))
        month = day.replace(day=1)
        months[month] = months.get(month, 0) + done + failed + canceled
    for month, images in months.items():
        _write_prompts(session, instance, month, images)


def _write_prompts(session, instance: int, month: date, images: int) -> None:  # type: ignore[no-untyped-def]
    for n, prompt in enumerate(PROMPTS):
        part = images - images // 2 - images // 4 if n == 2 else images // 2 ** (n + 1)
        facts = {"prompt_hash": analytics.hash_of(prompt), "prompt": prompt, "images": part}
        session.execute(insert(MonthlyPrompt).values(instance_id=instance, month=month, **facts))


def chart(page: Page, name: str) -> Locator:
    return page.get_by_role("group", name=re.compile(f"^{name}"))


@pytest.mark.every_look
def test_everything_that_was_used_is_shown_and_told(page: Page, shop: Shopfront) -> None:
    token = shop.customer()
    write_history(shop, token, days=29)
    shop.hold()
    job = shop.order(token, images=3)
    shop.cancel_waiting()
    shop.open(page, "/usage", token)

    expect(page.get_by_role("link", name="Usage")).to_have_attribute("aria-current", "page")
    expect(page.locator(".tiles dd.big")).to_have_text(
        [re.compile(r"^[\d,]{3,5}$"), re.compile(r"^9\d\.?\d?%$"), re.compile(r"^1[678] s$"),
         re.compile(r"^1 min 3\d s$"), re.compile(r"^[\d,]{5,7}$")]
    )  # fmt: skip
    bars = chart(page, "Images by day")
    expect(bars.locator(".bar-canceled").last).to_be_visible()
    bars.focus()
    page.keyboard.press("End")
    expect(page.locator(".chart-words").first).to_contain_text("0 ready, 0 failed, 3 canceled")
    page.keyboard.press("ArrowLeft")
    expect(page.locator(".chart-words").first).not_to_contain_text("3 canceled")
    page.keyboard.press("Escape")
    reasons = page.get_by_role("table", name="Reasons")
    expect(reasons).to_contain_text("The model made no image this time.")
    expect(page.get_by_role("list").get_by_text(PROMPTS[0])).to_be_visible()
    entries = page.get_by_role("table", name="Credit entries").locator("tbody tr")
    expect(entries).to_have_count(6)
    expect(entries.nth(3)).to_contain_text(f"Charged for job {job}")
    check_state(page, "usage")

    page.get_by_text("The same as a table").click()
    rows = page.get_by_role("table", name="Images and credits by day").locator("tbody tr")
    expect(rows).to_have_count(30)
    expect(rows.first.get_by_role("cell")).to_have_text(["0", "0", "3", "0", "0"])
    check_state(page, "usage-table")


@pytest.mark.every_look
def test_days_are_chosen_and_saved(page: Page, shop: Shopfront, tmp_path: Path) -> None:
    token = shop.customer()
    today = write_history(shop, token, days=200)
    shop.open(page, "/usage", token)
    bars = chart(page, "Credits by day").locator(".bar-credits")
    expect(bars.first).to_be_visible()

    page.get_by_role("radio", name="1 year").check(force=True)
    expect(page.locator(".chart-words").last).to_contain_text("credits")
    expect(bars.nth(27)).to_be_visible()
    assert bars.count() < 32
    check_state(page, "usage-year")

    page.get_by_label("From").fill(str(today))
    page.get_by_label("To", exact=True).fill(str(today - timedelta(3)))
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.get_by_role("alert")).to_have_text("The first day is after the last one.")
    page.get_by_label("From").fill(str(today - timedelta(6)))
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.locator("details tbody tr")).to_have_count(4)
    check_state(page, "usage-own-days")

    with page.expect_download() as saving:
        page.get_by_role("button", name="Download CSV").click()
    name = f"darkroom-usage-{today - timedelta(6)}-{today - timedelta(3)}.csv"
    assert saving.value.suggested_filename == name
    saving.value.save_as(file := tmp_path / "usage.csv")
    assert len(file.read_text().splitlines()) == 5


@pytest.mark.every_look
def test_loading_nothing_yet_and_nobody_there(page: Page, shop: Shopfront, watch: Watch) -> None:
    watch.allow_status(503)
    token = shop.customer()
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route(ANALYTICS, hold)
    shop.open(page, "/usage", token)
    expect(page.get_by_role("status", name="Loading usage")).to_be_visible()
    check_state(page, "usage-loading")

    for route in held:
        route.continue_()
    page.unroute(ANALYTICS)
    expect(page.get_by_role("heading", name="No image ended in these days")).to_be_visible()
    expect(page.get_by_role("table", name="Credit entries").locator("tbody tr")).to_have_count(2)
    check_state(page, "usage-empty")

    page.route(ANALYTICS, lambda route: route.fulfill(status=503))
    page.get_by_role("radio", name="7 days").check(force=True)
    expect(page.get_by_role("button", name="Try again")).to_be_visible()
    page.unroute(ANALYTICS)
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("heading", name="No image ended in these days")).to_be_visible()
