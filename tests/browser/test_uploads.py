"""Pictures from somebody's own disk, on the page Optimize."""

import base64
import re

import pytest
from playwright.sync_api import FilePayload, JSHandle, Page, expect

from tests.browser.optimize import boxes, prompt, receipt, send
from tests.browser.shopfront import Shopfront
from tests.browser.states import check_state
from tests.browser.watch import Watch
from tests.pictures import file_of, painted, telling

DROPPED = """([name, data]) => {
  const bytes = Uint8Array.from(atob(data), (sign) => sign.charCodeAt(0));
  const dropped = new DataTransfer();
  dropped.items.add(new File([bytes], name, { type: "image/png" }));
  return dropped;
}"""


def chosen(name: str, kind: str, data: bytes) -> FilePayload:
    """A file as somebody chooses it in the dialog."""
    return {"name": name, "mimeType": kind, "buffer": data}


def dropped(page: Page, name: str, data: bytes) -> JSHandle:
    """A file as the browser hands it over when it is dropped."""
    return page.evaluate_handle(DROPPED, [name, base64.b64encode(data).decode()])


@pytest.mark.every_look
def test_uploads_are_chosen_dropped_ordered_and_optimized(
    page: Page, shop: Shopfront, watch: Watch
) -> None:
    watch.allow_status(400)
    token = shop.customer("alice")
    shop.open(page, "/", token)
    page.get_by_role("link", name="Upload images").click()
    field = page.get_by_label("Upload images")
    phone = chosen("phone.jpg", "image/jpeg", file_of(painted(), exif=telling()))
    text = chosen("notes.jpg", "image/jpeg", b"no picture at all")

    field.set_input_files([phone, text])

    expect(boxes(page)).to_have_count(1)
    expect(boxes(page)).to_be_checked()
    expect(page.get_by_role("status").filter(has_text="1 image uploaded")).to_be_visible()
    refused = page.get_by_role("alert").filter(has_text="notes.jpg: This is not a JPEG")
    expect(refused).to_be_visible()
    check_state(page, "upload-refused")
    page.get_by_role("button", name="Dismiss notes.jpg").click()
    expect(refused).to_have_count(0)

    handed = {"dataTransfer": dropped(page, "Drop & <b>.png", file_of(painted(), "PNG"))}
    page.dispatch_event(".images", "dragover", handed)
    expect(page.locator(".drop")).to_have_class(re.compile("over"))
    page.dispatch_event(".images", "drop", handed)
    expect(boxes(page)).to_have_count(2)
    expect(page.locator(".tile").nth(1)).to_contain_text("Drop & <b>.png")
    expect(page.locator(".images img")).to_have_count(2)
    check_state(page, "upload-done")

    prompt(page).fill("brighter")
    send(page).click()
    expect(receipt(page)).to_be_visible()
    items = shop.wait_for(token, shop.jobs(token)[0]["id"], "DONE")["items"]
    assert [item["status"] for item in items] == ["DONE", "DONE"]
    made = [create["input"]["image_input"][0] for create in shop.stand_in.creates()]
    for item in items:
        key = item["imageUrl"].removeprefix("/uploads/")
        assert re.fullmatch(r"[0-9a-f]{32}\.(jpg|png)", key)
        assert any(url.startswith(f"{shop.stand_in.url}/files/") and key in url for url in made)
