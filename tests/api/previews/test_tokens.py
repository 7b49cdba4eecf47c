"""The addresses of previews: signed, and short enough."""

from random import Random

import pytest
from flask import Flask

from api.preview_tokens import preview_url, source_of
from models.errors import NotFound
from tests.api.clients import JOBS, Shop, image, order

WRONG_TOKENS = ["x", "x.", f"x.{'y' * 43}", f"{'x' * 8001}.{'y' * 43}", "..", "%00", ""]


@pytest.mark.parametrize("token", WRONG_TOKENS, ids=lambda token: token[:9])
def test_a_token_of_somebody_else_is_not_found(app: Flask, token: str) -> None:
    answer = app.test_client().get(f"/previews/{token}")

    assert (answer.status_code, answer.get_json()["code"]) == (404, "not_found")
    assert answer.headers["Cache-Control"] == "no-store"


def test_every_change_of_a_token_makes_it_wrong(app: Flask) -> None:
    with app.test_request_context():
        token = (preview_url("https://shop.example/cup.jpg") or "").removeprefix("/previews/")
        for at in range(len(token) - 1):
            changed = token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :]
            with pytest.raises(NotFound):
                source_of(changed)

        assert source_of(token) == "https://shop.example/cup.jpg"


def any_of(first: int, last: int) -> str:
    """As many characters as an address may have, which hardly can be compressed."""
    random = Random(first)
    return "".join(chr(random.randint(first, last)) for _ in range(2027))


@pytest.mark.parametrize("rest", ["a" * 2027, "%20" * 675, "\u00e9" * 2027, any_of(0x4E00, 0x9FFF)])
def test_the_longest_addresses_fit_into_a_line_that_gunicorn_reads(app: Flask, rest: str) -> None:
    url = f"https://shop.example/{rest}"
    with app.test_request_context():
        path = preview_url(url)

        assert path is not None
        assert source_of(path.removeprefix("/previews/")) == url
    assert len(f"GET {path}?width=2048 HTTP/1.1\r\n") <= 8190


def test_an_address_of_the_rarest_characters_has_no_preview(alice: Shop) -> None:
    url = f"https://shop.example/{any_of(0x10000, 0x10FFFF)}"
    alice.post(order(images=[image(0, imageUrl=url)]))

    (item,) = alice.get(f"{JOBS}/1").get_json()["items"]

    assert item["imageUrl"] == url
    assert "previewUrl" not in item
