"""A shop as a client of the API."""

from dataclasses import dataclass
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from models import accounts, ledger

ROUTE = "/api/image-optimization"
JOBS = f"{ROUTE}/jobs"


@dataclass(frozen=True, slots=True)
class Shop:
    """An instance with its token. Every request has its own client: threads may share it."""

    id: int
    token: str
    app: Flask

    @property
    def bearer(self) -> dict[str, str]:
        """The header that says who asks."""
        return {"Authorization": f"Bearer {self.token}"}

    def client(self) -> FlaskClient:
        """A client that sends no token of its own."""
        return self.app.test_client()

    def get(self, path: str, headers: dict[str, str] | None = None) -> TestResponse:
        """GET with the shop's token."""
        return self.client().get(path, headers=self.bearer | (headers or {}))

    def post(self, body: Any, headers: dict[str, str] | None = None) -> TestResponse:
        """Order something, as JSON."""
        return self.client().post(ROUTE, json=body, headers=self.bearer | (headers or {}))

    def act(self, path: str, headers: dict[str, str] | None = None) -> TestResponse:
        """POST without a body."""
        return self.client().post(path, headers=self.bearer | (headers or {}))

    def send(self, body: bytes, content_type: str = "application/json") -> TestResponse:
        """Order something, as these very bytes."""
        return self.client().post(ROUTE, data=body, content_type=content_type, headers=self.bearer)

    def balance(self) -> int:
        """What the shop has left."""
        return int(self.get("/api/credits").get_json()["balance"])

    def jobs(self) -> list[dict[str, Any]]:
        """Its newest jobs."""
        found: list[dict[str, Any]] = self.get(JOBS).get_json()["jobs"]
        return found


def open_shop(app: Flask, name: str, credits: int | None = None) -> Shop:
    """Create an instance; `credits` replaces what its plan gave it."""
    with app.app_context():
        instance, token = accounts.create(name, "pro")
        if credits is not None:
            ledger.grant(instance.id, credits - instance.balance, f"test:{name}")
    return Shop(instance.id, token, app)


def image(n: int = 0, /, **changes: Any) -> dict[str, Any]:
    """One image of an order."""
    facts = {
        "imageId": f"cup-{n}",
        "imageUrl": f"https://shop.example/cup/{n}.jpg",
        "prompt": "brighter",
    }
    return facts | changes


def order(images: int = 1, /, **changes: Any) -> dict[str, Any]:
    """An order of so many images."""
    facts = {
        "productId": "cup",
        "productName": "The cup",
        "images": [image(n) for n in range(images)],
    }
    return facts | changes
