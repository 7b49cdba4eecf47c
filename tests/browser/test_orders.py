"""An order on the page Optimize, from draft to charge, when something comes between."""

from playwright.sync_api import Page, Request, Route, expect

from tests.browser.optimize import boxes, open_product, prompt, receipt, said, send
from tests.browser.shopfront import ORDERS, Shopfront
from tests.browser.watch import Watch

MARKUP = "<img src=x onerror=alert(1)>"


def test_a_lost_answer_is_asked_for_again_and_charged_once(
    page: Page, shop: Shopfront, watch: Watch
) -> None:
    watch.allow("net::ERR_FAILED", "net::ERR_EMPTY_RESPONSE")
    token = shop.customer("alice", credits=100)
    keys: list[str] = []

    def lose(route: Route, request: Request) -> None:
        """The order arrives, its answer does not."""
        keys.append(request.headers["idempotency-key"])
        route.fetch()
        route.abort()

    shop.open(page, "/", token)
    open_product(page, shop, shop.products[0])
    boxes(page).nth(0).check()
    prompt(page).fill("brighter")
    page.route(f"**{ORDERS}", lose)
    send(page).click()
    expect(said(page, "Darkroom cannot be reached")).to_be_visible()

    # A reload is what people try first.
    page.reload()
    send(page).click()
    expect(said(page, "Darkroom cannot be reached")).to_be_visible()
    prompt(page).fill("darker")
    send(page).click()
    expect(said(page, "Darkroom cannot be reached")).to_be_visible()
    page.unroute_all()
    send(page).click()

    expect(receipt(page)).to_be_visible()
    assert keys[0] == keys[1] != keys[2]
    assert len(shop.jobs(token)) == 2
    assert shop.balance(token) == 100 - 2 * 15
    expect(page.locator(".balance strong")).to_have_text("70")


def test_credits_that_are_gone_meanwhile_stop_the_order(
    page: Page, shop: Shopfront, watch: Watch
) -> None:
    watch.allow_status(402)
    token = shop.customer("alice", credits=60)
    shop.open(page, "/", token)
    open_product(page, shop, shop.products[0])
    page.get_by_role("button", name="Choose all").click()
    boxes(page).nth(4).uncheck()
    expect(page.locator(".cost .total")).to_have_text("Left after this0")
    prompt(page).fill("brighter")

    shop.order(token, images=3)
    send(page).click()

    expect(said(page, "Choose up to 1 image, or wait until")).to_be_visible()
    expect(page.locator(".balance strong")).to_have_text("15")
    expect(send(page)).to_have_attribute("aria-disabled", "true")
    assert len(shop.jobs(token)) == 1


def test_a_draft_is_there_until_it_is_sent(page: Page, shop: Shopfront) -> None:
    cup, cat = shop.products[:2]
    shop.open(page, "/", shop.customer("alice"))
    open_product(page, shop, cup)
    boxes(page).nth(2).check()
    boxes(page).nth(0).check()
    prompt(page).fill("brighter")
    page.locator("summary", has_text="Options").click()
    page.get_by_label("Shape").select_option("16:9")
    page.locator("label", has_text="PNG").click()

    def kept() -> None:
        expect(page.locator(".place").nth(2)).to_have_text("1")
        expect(page.locator(".place").nth(0)).to_have_text("2")
        expect(prompt(page)).to_have_value("brighter")
        expect(page.get_by_label("Shape")).to_have_value("16:9")
        expect(page.get_by_label("PNG")).to_be_checked()

    page.get_by_role("link", name="Ongoing").click()
    page.get_by_role("heading", name="Nothing is under way").wait_for()
    open_product(page, shop, cup)
    kept()
    page.reload()
    kept()
    page.get_by_role("link", name="All products").click()
    expect(page.get_by_role("heading", name="Choose a product")).to_be_focused()
    page.locator(f"a[href='#product={cup['id']}']").click()
    kept()
    page.get_by_role("link", name="All products").click()
    expect(page.locator(f"a[href='#product={cup['id']}']")).to_be_focused()
    open_product(page, shop, cat)
    expect(prompt(page)).to_have_value("")
    page.go_back()
    page.go_back()
    kept()

    # The shop removes an image that was chosen.
    shop.stock([{**cup, "images": cup["images"][1:]}])
    page.reload()
    expect(page.get_by_text("1 of up to 10 chosen")).to_be_visible()
    send(page).click()
    expect(receipt(page)).to_be_visible()
    page.reload()
    expect(page.get_by_text("0 of up to 10 chosen")).to_be_visible()
    expect(prompt(page)).to_have_value("")

    prompt(page).fill("Alice's")
    shop.open(page, "/", shop.customer("bob", credits=15))
    expect(page.locator(".balance strong")).to_have_text("15")
    open_product(page, shop, cup)
    expect(prompt(page)).to_have_value("")


def test_markup_and_odd_names_are_nothing_but_text(page: Page, shop: Shopfront) -> None:
    url = shop.images()[0]["url"]
    images = [
        {"id": f'"><script>alert(1)</script>{MARKUP}', "url": url, "alt": MARKUP},
        {"id": "__proto__", "url": url, "alt": "</li></ul><h1>Gone</h1>"},
        {"id": "constructor", "url": url, "alt": "${alert(1)}"},
    ]
    name = f"<b>Cup</b> {MARKUP}"
    shop.stock([{"id": "<b>&amp;#product=", "name": name, "images": images}])
    token = shop.customer("alice")
    shop.open(page, "/", token)
    page.get_by_role("link", name=name).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(name)
    page.get_by_role("button", name="Choose all").click()
    page.locator("label", has_text="One each").click()
    for image in images:
        page.get_by_label(f"Prompt for “{image['alt']}”", exact=True).fill(f"bright {image['alt']}")
    send(page).click()

    expect(receipt(page)).to_be_visible()
    page.get_by_role("link", name="Watch the progress").click()
    expect(page.get_by_role("heading", name=name)).to_be_visible()
    expect(page.get_by_text(f"bright {MARKUP}")).to_be_visible()
    assert page.locator("b, h1:text('Gone'), [onerror]").count() == 0
    ordered = shop.job(token, shop.jobs(token)[0]["id"])["items"]
    assert [item["imageId"] for item in ordered] == [image["id"] for image in images]
    assert [item["prompt"] for item in ordered] == [f"bright {image['alt']}" for image in images]
