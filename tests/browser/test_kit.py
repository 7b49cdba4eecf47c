"""The kit of the page tests itself: what it forbids fails a test, and a good page passes."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.checks import check_accessible, check_fits, check_no_layout_shift
from tests.browser.looks import Look, shoot
from tests.browser.pages import Pages, pages
from tests.browser.watch import Watch
from tests.service import wait_until


@pytest.fixture
def served() -> Iterator[Pages]:
    with pages() as served:
        yield served


@pytest.fixture
def own_origin(served: Pages) -> str:
    return served.url


@pytest.mark.every_look
def test_a_good_page_passes_everything_under_the_strict_policy(
    page: Page, served: Pages, look: Look
) -> None:
    page.goto(f"{served.url}/good")

    expect(page.get_by_text("All good.")).to_be_visible()
    check_accessible(page)
    check_no_layout_shift(page)
    check_fits(page)
    assert page.evaluate("[innerWidth, innerHeight]") == [look.width, look.height]
    dark = page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    assert dark == (look.scheme == "dark")
    assert page.evaluate("matchMedia('(prefers-reduced-motion: reduce)').matches")


def caught(watch: Watch, *kinds: str) -> None:
    """Return once findings of these kinds and no others are there; the watch begins anew."""

    def found() -> bool:
        return {finding.kind for finding in watch.findings()} == set(kinds)

    wait_until(found, f"findings of the kinds {kinds}", patience=10)
    with pytest.raises(AssertionError, match="what they must not"):
        watch.check()
    watch.forget()


@pytest.mark.parametrize(
    ("script", "kinds"),
    [
        ("console.error('no')", ["console"]),
        ("console.warn('hm')", ["console"]),
        ("console.assert(false, 'no')", ["console"]),
        ("throw new Error('no')", ["exception"]),
        ("Promise.reject(new Error('no'))", ["exception"]),
        ("fetch('/missing')", ["console", "status"]),
        ("fetch('http://127.0.0.1:1/').catch(() => 0)", ["console", "policy"]),
        ("document.body.innerHTML = '<b>no</b>'", ["console", "exception", "policy"]),
        ("document.body.setAttribute('style', 'color: red')", ["console", "policy"]),
        ("new Image().src = 'data:image/png;base64,AA=='", ["console", "policy"]),
    ],
)
def test_what_no_page_may_do_fails_its_test(
    page: Page, served: Pages, watch: Watch, script: str, kinds: list[str]
) -> None:
    page.goto(served.with_body("/bad", "<main></main>", f"{script};"))

    caught(watch, *kinds)


def test_a_request_to_somebody_else_fails_its_test(page: Page, served: Pages, watch: Watch) -> None:
    with pages() as others:
        page.goto(f"{others.url}/good", wait_until="networkidle")

        caught(watch, "foreign")


def test_a_request_that_fails_fails_its_test(
    page: Page, served: Pages, watch: Watch, context: BrowserContext
) -> None:
    # The page's own requests must be over, or they would fail too.
    page.goto(f"{served.url}/good", wait_until="networkidle")
    context.set_offline(True)
    page.evaluate("fetch('/answer').catch(() => 0)")

    caught(watch, "console", "failed")


def test_what_a_test_declares_is_allowed_and_nothing_else(
    page: Page, served: Pages, watch: Watch, context: BrowserContext
) -> None:
    served.files["/poor"], served.statuses["/poor"] = "", 402
    watch.allow_status(402)
    watch.allow_offline()
    page.goto(f"{served.url}/good")

    page.evaluate("fetch('/poor')")
    context.set_offline(True)
    page.evaluate("fetch('/answer').catch(() => 0)")
    context.set_offline(False)
    watch.check()

    page.evaluate("fetch('/missing')")
    caught(watch, "console", "status")


def test_what_cannot_be_used_by_all_is_told_in_full(page: Page, served: Pages) -> None:
    style = "button { color: #bbb; background: #fff; width: 12px; height: 12px; padding: 0 }"
    buttons = '<button class="tiny">Order</button><button>Leave</button>'
    page.goto(served.with_body("/grey", f"<main><h1>Cups</h1>{buttons}</main>", style=style))

    with pytest.raises(AssertionError) as failed:
        check_accessible(page)

    assert "color-contrast (serious): Elements must meet" in str(failed.value)
    assert "target-size (serious)" in str(failed.value)
    assert '<button class="tiny">Order</button>' in str(failed.value)


def test_a_picture_without_words_is_found(page: Page, served: Pages) -> None:
    page.goto(served.with_body("/poor", "<main><h1>Cups</h1><img src=/icon.svg></main>"))

    with pytest.raises(AssertionError, match="image-alt"):
        check_accessible(page)


LATE = """requestAnimationFrame(() => requestAnimationFrame(() => {
  document.querySelector("h1").hidden = false;
  document.body.dataset.late = "";
}));"""


def test_a_layout_that_shifts_is_told(page: Page, served: Pages) -> None:
    style = "h1 { height: 300px } h1[hidden] { display: none } p { height: 300px }"
    body = "<main><h1 hidden>Cups</h1><p>Ten of them</p></main>"
    page.goto(served.with_body("/late", body, LATE, style))
    page.wait_for_selector("body[data-late]")

    with pytest.raises(AssertionError, match="shifted by") as failed:
        check_no_layout_shift(page)

    assert "Ten of them" in str(failed.value)


def test_a_page_that_is_too_wide_names_what_is(page: Page, served: Pages) -> None:
    style = "#wide { width: 5000px }"
    page.goto(served.with_body("/wide", "<main><p id=wide>Cups</p></main>", style=style))

    with pytest.raises(AssertionError, match='<p id="wide">'):
        check_fits(page)


def test_pictures_are_taken_only_where_a_folder_is_named(
    page: Page, served: Pages, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page.goto(f"{served.url}/good")

    monkeypatch.delenv("SHOTS", raising=False)
    shoot(page, "good")
    monkeypatch.setenv("SHOTS", str(tmp_path))
    shoot(page, "good")

    assert [file.name for file in tmp_path.iterdir()] == ["good-1440-light.png"]
