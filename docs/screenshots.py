"""The pictures of the user guide, taken from a running sandbox: `make screenshots`.

It drives the pages of a `make run` in Chromium as a shop owner would, with the demo's products, and
writes `docs/images/*.webp`. Jobs are ordered and charged to the demo shop and to one of its own.
"""

import io
import os
import secrets
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from PIL import Image
from playwright.sync_api import Browser, Page, ViewportSize, expect, sync_playwright

from tests.browser.chromium import find_or_install, this_machine

ROOT = Path(__file__).parent.parent
IMAGES = ROOT / "docs" / "images"
DESKTOP: ViewportSize = {"width": 1280, "height": 800}
PHONE: ViewportSize = {"width": 390, "height": 780}
# At 5 images in 30 s ten of them take a minute.
PATIENCE = 180_000
VIEWS = ("front", "detail", "dim", "mirrored")
PROMPT = "White studio background, brighter, natural light"
PROMPTS = {
    "coffee-cup-front": PROMPT,
    "coffee-cup-dim": PROMPT,
    "cat-front": "Warmer light and a blurred background",
    "cat-dim": "Brighter, warmer light",
    "rocket-front": "Brighter, with vivid colours",
    "rocket-wide": "More vivid colours, sharper",
    "astronaut-front": "Black and white, sharper",
    "astronaut-dim": "Brighter, with more contrast",
}


@dataclass(frozen=True)
class Sandbox:
    """The running sandbox: where it is, and what opens it."""

    api: str
    token: str
    replicate: str
    settings: dict[str, str]

    def order(self, images: dict[str, str], token: str) -> int:
        """Order images, addresses by their ids, for a shop; return the job's id."""
        listed = [
            {"imageId": i, "imageUrl": url, "prompt": PROMPTS.get(i, PROMPT)}
            for i, url in images.items()
        ]
        body = {"productId": "prints", "productName": "Fine art prints", "images": listed}
        answer = httpx.post(
            f"{self.api}/api/image-optimization",
            json=body,
            headers={"Authorization": f"Bearer {token}"},
            trust_env=False,
        )
        return int(answer.raise_for_status().json()["job"]["id"])

    def small_shop(self) -> str:
        """A shop of the smallest plan; return its token."""
        command = [sys.executable, "-m", "flask", "--app", "wsgi", "instances", "create"]
        made = subprocess.run(
            [*command, f"small shop {secrets.token_hex(3)}", "--plan", "free"],
            cwd=ROOT, env=os.environ | self.settings, capture_output=True, text=True, check=True,
        )  # fmt: skip
        return made.stdout.strip()


def sandbox() -> Sandbox:
    """Read what `make run` wrote; end with a sentence where none runs."""
    folder = Path(os.environ.get("SANDBOX_VAR") or ROOT / "var")
    if not (folder / "demo.env").is_file():
        sys.exit("Start `make run` in another terminal first.")
    demo, settings = _values(folder / "demo.env"), _values(folder / "settings.env")
    return Sandbox(demo["API_URL"], demo["API_TOKEN"], demo["REPLICATE_BASE_URL"], settings)


def _values(file: Path) -> dict[str, str]:
    pairs = (line.split("=", 1) for line in file.read_text().splitlines())
    return {name: shlex.split(text)[0] for name, text in pairs}


class Camera:
    """Opens pages of a shop and takes pictures of them."""

    def __init__(self, browser: Browser, api: str) -> None:
        self._browser = browser
        self._api = api

    @contextmanager
    def page(self, path: str, token: str, viewport: ViewportSize = DESKTOP) -> Iterator[Page]:
        """A page of its own, connected with `token` unless that is empty."""
        context = self._browser.new_context(
            viewport=viewport,
            locale="en-GB",
            color_scheme="light",
            reduced_motion="reduce",
            device_scale_factor=1.5,
        )
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        way, _hash, fragment = path.partition("#")
        parts = [part for part in (token and f"token={token}", fragment) if part]
        page.goto(f"{self._api}{way}#{'&'.join(parts)}")
        yield page
        context.close()

    def take(self, page: Page, name: str) -> None:
        """Write what the page shows now, once its pictures are there."""
        _save(_shot(page), name)

    def take_pair(self, page: Page, name: str) -> None:
        """Write the first image before and after."""
        pair = page.locator(".pair").first.screenshot()
        _save(Image.open(io.BytesIO(pair)).convert("RGB"), name)


def _shot(page: Page) -> Image.Image:
    page.wait_for_load_state("networkidle")
    page.wait_for_function(
        "() => [...document.images].every((image) => image.loading === 'lazy' || image.complete)"
    )
    return Image.open(io.BytesIO(page.screenshot())).convert("RGB")


def _save(picture: Image.Image, name: str) -> None:
    IMAGES.mkdir(exist_ok=True)
    picture.save(IMAGES / f"{name}.webp", quality=82, method=6)
    print(f"docs/images/{name}.webp")


def optimize(camera: Camera, shop: Sandbox) -> None:
    """The products, an order, and an order that costs too much."""
    with camera.page("/", "") as page:
        camera.take(page, "connect")
    with camera.page("/", shop.token) as page:
        page.get_by_role("link", name="Espresso Cup").first.wait_for()
        camera.take(page, "optimize-products")
    with camera.page("/#product=coffee-cup", shop.token) as page:
        for box in page.get_by_role("checkbox").all()[:3]:
            box.check()
        page.get_by_label("Prompt for all images").fill(PROMPT)
        camera.take(page, "optimize-order")
    poor = shop.small_shop()
    shop.order({view: _picture(shop, f"coffee-cup/{view}") for view in VIEWS}, poor)
    shop.order({view: _picture(shop, f"cat/{view}") for view in VIEWS}, poor)
    with camera.page("/#product=coffee-cup", poor) as page:
        page.get_by_role("button", name="Choose all").click()
        page.get_by_text("Too few credits").scroll_into_view_if_needed()
        camera.take(page, "optimize-credits")


def ongoing(camera: Camera, shop: Sandbox) -> None:
    """A job that is half done."""
    job = shop.order({i: _picture(shop, "/".join(i.rsplit("-", 1))) for i in PROMPTS}, shop.token)
    with camera.page(f"/ongoing#job={job}", shop.token) as page:
        expect(page.get_by_text("5 of 8 images ready").last).to_be_visible(timeout=PATIENCE)
        camera.take(page, "ongoing")
        page.get_by_role("link", name="See before and after").first.wait_for()


def completed(camera: Camera, shop: Sandbox) -> None:
    """Before and after, the comparison, and a failed image."""
    with camera.page("/completed", shop.token) as page:
        page.get_by_role("button", name="Compare coffee-cup-front", exact=True).wait_for()
        camera.take(page, "completed")
        camera.take_pair(page, "before-after")
        page.get_by_role("button", name="Compare coffee-cup-dim", exact=True).click()
        page.locator(".viewer:not(.unknown)").wait_for()
        camera.take(page, "compare")
    job = shop.order({"poster": _picture(shop, "nothing/here")}, shop.token)
    with camera.page(f"/ongoing#job={job}", shop.token) as page:
        page.get_by_role("link", name="See why").first.wait_for()
    with camera.page(f"/completed#job={job}", shop.token) as page:
        page.get_by_text("Failed images").wait_for()
        camera.take(page, "completed-failed")


def phone(camera: Camera, shop: Sandbox) -> None:
    """The three pages beside each other, as a phone shows them."""
    shots = []
    for path, sight in (
        ("/", "Choose a product"),
        ("/ongoing", "Ongoing"),
        ("/completed", "Completed"),
    ):
        with camera.page(path, shop.token, PHONE) as page:
            page.get_by_role("heading", name=sight).wait_for()
            shots.append(_shot(page))
    (width, height), gap = shots[0].size, 40
    sheet = Image.new("RGB", (len(shots) * (width + gap) - gap, height), "white")
    for number, shot in enumerate(shots):
        sheet.paste(shot, (number * (width + gap), 0))
    _save(sheet, "phone")


def _picture(shop: Sandbox, view: str) -> str:
    return f"{shop.replicate}/shop/{view}.jpg"


def main() -> None:
    """Take them all."""
    shop = sandbox()
    chromium = find_or_install(this_machine(), print)
    with sync_playwright() as playwright:
        flags = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=chromium, args=flags)
        camera = Camera(browser, shop.api)
        for scene in (optimize, ongoing, completed, phone):
            scene(camera, shop)
        browser.close()


if __name__ == "__main__":
    main()
