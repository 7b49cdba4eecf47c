"""GET /previews/<token> and GET /api/previews: shops' own pictures, from this service's origin."""

import io
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import quote

import pytest
from flask import Flask
from PIL import Image
from werkzeug.test import TestResponse

from config.settings import Settings
from tests.api.clients import Shop, open_shop
from tests.api.conftest import serving
from tests.scripted_server import ScriptedServer, answer, scripted_server


def picture(kind: str = "JPEG", size: tuple[int, int] = (1000, 500)) -> bytes:
    out = io.BytesIO()
    Image.linear_gradient("L").resize(size).convert("RGB").save(out, kind)
    return out.getvalue()


@pytest.fixture
def host() -> Iterator[ScriptedServer]:
    """A shop's image host; it shows a picture 1000 pixels wide."""
    with scripted_server() as server:
        server.play(answer(200, picture()))
        yield server


@pytest.fixture
def near(settings: Settings) -> Iterator[Flask]:
    """An API that may show what is on this machine."""
    with serving(replace(settings, allow_private_image_urls=True)) as app:
        yield app


@pytest.fixture
def charlie(near: Flask) -> Shop:
    """A shop of it."""
    return open_shop(near, "charlie")


def preview_of(shop: Shop, url: str) -> str:
    answer = shop.get(f"/api/previews?url={quote(url, safe='')}")
    assert answer.status_code == 200, answer.text
    return str(answer.get_json()["previewUrl"])


def shown(answer: TestResponse) -> Image.Image:
    assert answer.status_code == 200, answer.text
    assert answer.content_type == "image/webp"
    return Image.open(io.BytesIO(answer.data), formats=("WEBP",))


def test_a_shops_picture_is_shown_from_the_services_own_origin(
    charlie: Shop, host: ScriptedServer
) -> None:
    path = preview_of(charlie, f"{host.url}/cup.jpg")

    answer = charlie.client().get(path)

    assert path.startswith("/previews/")
    assert shown(answer).size == (640, 320)
    assert [request.target for request in host.requests] == ["/cup.jpg"]
