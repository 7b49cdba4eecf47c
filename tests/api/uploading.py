"""Uploading as a client does, whatever it sends."""

import io
from typing import Any

from werkzeug.test import TestResponse

from tests.api.clients import Shop
from tests.pictures import file_of, painted

UPLOADS = "/api/uploads"


def send(shop: Shop, data: bytes, name: str = "cup.jpg", field: str = "file") -> TestResponse:
    """Send a form with one file."""
    return send_form(shop, {field: (io.BytesIO(data), name)})


def send_form(shop: Shop, form: dict[str, Any]) -> TestResponse:
    """Send these fields as a form."""
    return shop.client().post(
        UPLOADS, data=form, content_type="multipart/form-data", headers=shop.bearer
    )


def uploaded(shop: Shop, **options: Any) -> dict[str, Any]:
    """Upload a picture; return what the API tells about it."""
    answer = send(shop, file_of(painted(), **options))
    assert answer.status_code == 201, answer.text
    told: dict[str, Any] = answer.get_json()
    return told


def delete(shop: Shop, upload_id: int) -> TestResponse:
    """Delete an upload."""
    return shop.client().delete(f"{UPLOADS}/{upload_id}", headers=shop.bearer)


def listed(shop: Shop, query: str = "") -> list[int]:
    """The ids of a page of its uploads."""
    page = shop.get(f"{UPLOADS}{query}").get_json()
    return [each["id"] for each in page["uploads"]]
