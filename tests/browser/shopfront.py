"""The real service for the tests of its pages: real processes, one for each process of a test run.

Starting it takes some seconds, so its tests share it: each opens shops of its own and leaves the
stand-in for Replicate as it found it.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import Page
from sqlalchemy import select, update

from models import accounts, ledger, lifecycle
from models.clock import from_now
from models.database import db
from models.tables import Attempt, AttemptStatus, Instance
from sandbox.shop import product_list
from tests.darkroom import Darkroom, darkroom
from tests.databases import check_promises
from tests.service import BOTH, wait_until
from tests.stand_in import StandIn
from tests.tether import free_port

ORDERS = "/api/image-optimization"
# One job of 10 images starts at once, a second one waits for some seconds: both can be watched.
RATE_LIMIT = "10/3s"
# Two more than the one of 15 credits that every order gets by default.
MODELS = "google/nano-banana-pro@2K=60,google/nano-banana-pro@4K=120,google/nano-banana-2@1K=30"
FINAL = ("DONE", "FAILED", "CANCELED")
# Longer than any test.
LONG = 600.0


class Shopfront:
    """The service at `url`. `hold` keeps images PENDING, `keep_running` keeps them RUNNING, both
    until `go_on`; how long each takes and how it ends is said through `stand_in.knobs`."""

    def __init__(self, room: Darkroom, url: str, shelves: Path) -> None:
        self.room = room
        self.url = url
        self.products = catalogue(room.stand_in.url)
        self._shelves = shelves
        self.stand_in = room.stand_in
        self._numbers = count(1)
        self._shops: list[int] = []
        self._http = httpx.Client(base_url=url, timeout=10, trust_env=False)
        self._visitor = self.customer("visitor")
        self.stock(self.products)

    def customer(self, name: str = "alice", credits: int = 10_000) -> str:
        """Open a new shop with so many credits; return its token."""
        with self.room.app.app_context():
            instance, token = accounts.create(f"{name}-{next(self._numbers)}", "pro")
            ledger.grant(instance.id, credits - instance.balance, f"test:{instance.name}")
            self._shops.append(instance.id)
        return token

    def rotate(self, token: str) -> str:
        """Give the shop of this token another one, from now on its only one; return it."""
        owner = select(Instance.name).where(Instance.token_hash == accounts.hash_token(token))
        with self.room.app.app_context(), db.engine.connect() as connection:
            return accounts.rotate_token(connection.execute(owner).scalar_one())

    def stock(self, products: list[dict[str, Any]]) -> None:
        """Let every shop have these products until the test is over."""
        new = self._shelves.with_suffix(".new")
        new.write_text(json.dumps({"products": products}), "utf-8")
        # Whoever reads it meanwhile reads the old one.
        new.replace(self._shelves)
        # While one request reads the new one, others are still told of the old.
        self._http.get("/api/products", headers=_bearer(self._visitor)).raise_for_status()

    def burn(self) -> None:
        """Let nobody read the products until the test is over."""
        self._shelves.unlink()

    def open(self, page: Page, path: str, token: str = "") -> None:
        """Go to a page as the link does that hands a token over; without one, as a stranger."""
        page.goto(f"{self.url}{path}{f'#token={token}' if token else ''}")

    def order(self, token: str, images: int = 3, prompt: str = "brighter", **also: Any) -> int:
        """Order so many of the first products' images, by the API; return the job's id."""
        chosen = [
            {"imageId": image["id"], "imageUrl": image["url"], "prompt": prompt}
            for image in self.images()[:images]
        ]
        return self.order_images(token, chosen, **also)

    def order_images(self, token: str, images: list[dict[str, str]], **also: Any) -> int:
        """Order exactly these images (`imageId`, `imageUrl`, `prompt`); return the job's id."""
        first = self.products[0]
        order = {"productId": first["id"], "productName": first["name"], "images": images} | also
        answer = self._http.post(ORDERS, json=order, headers=_bearer(token))
        return int(answer.raise_for_status().json()["job"]["id"])

    def upload(self, content: bytes, content_type: str = "image/png") -> str:
        """Put a picture of the test's own into the shop; return its address, good until `clear`."""
        file = {"content": ("picture", content, content_type)}
        url = f"{self.stand_in.url}/v1/files"
        answer = self._http.post(url, files=file, headers=_bearer("r8_test"))
        return str(answer.raise_for_status().json()["urls"]["get"])

    def cancel_waiting(self) -> None:
        """Cancel all that waits, of every shop that this test has opened."""
        with self.room.app.app_context():
            for shop in self._shops:
                lifecycle.cancel_waiting(shop)

    def images(self) -> list[dict[str, Any]]:
        """Every image of every product: {id, url, alt}."""
        return [image for product in self.products for image in product["images"]]

    def job(self, token: str, job_id: int) -> dict[str, Any]:
        """The job as the API shows it: {job, items}."""
        answer = self._http.get(f"{ORDERS}/jobs/{job_id}", headers=_bearer(token))
        shown: dict[str, Any] = answer.raise_for_status().json()
        return shown

    def jobs(self, token: str) -> list[dict[str, Any]]:
        """The shop's newest jobs, newest first, as the API shows them."""
        answer = self._http.get(f"{ORDERS}/jobs", headers=_bearer(token)).raise_for_status()
        shown: list[dict[str, Any]] = answer.json()["jobs"]
        return shown

    def balance(self, token: str) -> int:
        """The shop's credits."""
        answer = self._http.get("/api/credits", headers=_bearer(token)).raise_for_status()
        return int(answer.json()["balance"])

    def wait_for(self, token: str, job_id: int, *statuses: str) -> dict[str, Any]:
        """Return the job once its status is one of these; without any, once it is final."""
        wanted = statuses or FINAL
        what = f"job {job_id} is {' or '.join(wanted)}"
        wait_until(lambda: self.job(token, job_id)["job"]["status"] in wanted, what)
        return self.job(token, job_id)

    def wait_for_images(self, token: str, job_id: int, images: int) -> None:
        """Return once so many images of the job are final."""

        def final() -> bool:
            items = self.job(token, job_id)["items"]
            return sum(item["status"] in FINAL for item in items) >= images

        wait_until(final, f"{images} images of job {job_id} are final")

    def hold(self) -> None:
        """Send nothing to Replicate until `go_on`: what is ordered stays PENDING."""
        self.room.limiter().pause(LONG, "held by a test")

    def keep_running(self) -> None:
        """Let no image end until `go_on`: Replicate does not say how far it is."""
        away = {"endpoint": "get", "status": 503, "times": None}
        self.stand_in.knobs(faults=[away])

    def go_on(self) -> None:
        """End `hold` and `keep_running`, and a pause that Replicate asked for."""
        self.stand_in.knobs(faults=[])
        self.room.limiter().resume()
        # What was asked about in vain is asked about again by the next sweep, not seconds later.
        created = update(Attempt).where(Attempt.status == AttemptStatus.CREATED)
        with self.room.app.app_context(), db.engine.begin() as connection:
            connection.execute(created.values(next_check_at=from_now(-60)))
        self.room.waker.announce()

    def clear(self) -> None:
        """Let nothing of a test wait for the next one; what runs fails, as nobody knows it."""
        self.stand_in.reset()
        self.stock(self.products)
        self.cancel_waiting()
        self._shops.clear()
        self.go_on()

    def close(self) -> None:
        """Close its connections and check the promises."""
        self._http.close()
        with self.room.app.app_context():
            check_promises()


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def catalogue(stand_in_url: str) -> list[dict[str, Any]]:
    """The demo's products in the shape of a catalogue's file, with addresses of that stand-in."""
    shown: Any = product_list(stand_in_url)["products"]
    return [{**product, "images": _described(product)} for product in shown]


def _described(product: dict[str, Any]) -> Sequence[dict[str, str]]:
    return [
        {
            "id": image["id"],
            "url": image["url"],
            "alt": image.get("alt") or f"{product['name']}, {image['view']}",
        }
        for image in product["images"]
    ]


@contextmanager
def shopfront(
    database_url: str, redis_url: str, stand_in: StandIn, folder: Path
) -> Iterator[Shopfront]:
    """Start the whole service; no process is left behind."""
    shelves = folder / "products.json"
    settings = {
        "ALLOW_PRIVATE_IMAGE_URLS": "true",
        "CATALOGUE_URL": shelves.as_uri(),
        "REPLICATE_RATE_LIMIT": RATE_LIMIT,
        "REPLICATE_MODELS": MODELS,
        # A page asks every few seconds; a test may reload it as often as it likes.
        "API_RATE_LIMIT": "6000/1m",
    }
    with darkroom(database_url, redis_url, stand_in, folder, **settings) as room:
        port = free_port()
        # All are started before one is waited for.
        worker = room.service.begin(BOTH)
        room.service.beat()
        room.service.api(port)
        room.service.ready(worker)
        built = Shopfront(room, f"http://127.0.0.1:{port}", shelves)
        yield built
        built.close()
