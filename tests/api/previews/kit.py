"""Pictures, and their previews."""

import io
from urllib.parse import quote

import httpx
from PIL import Image
from werkzeug.test import TestResponse

from tests.api.clients import Shop

FAST = httpx.Timeout(0.3)


def picture(kind: str = "JPEG", size: tuple[int, int] = (1000, 500)) -> bytes:
    out = io.BytesIO()
    Image.linear_gradient("L").resize(size).convert("RGB").save(out, kind)
    return out.getvalue()


def preview_of(shop: Shop, url: str) -> str:
    answer = shop.get(f"/api/previews?url={quote(url, safe='')}")
    assert answer.status_code == 200, answer.text
    return str(answer.get_json()["previewUrl"])


def shown(answer: TestResponse) -> Image.Image:
    assert answer.status_code == 200, answer.text
    assert answer.content_type == "image/webp"
    return Image.open(io.BytesIO(answer.data), formats=("WEBP",))
