"""GET /previews/<token> and GET /api/previews: shops' own pictures, from this service's origin."""

import io
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from random import Random
from urllib.parse import quote

import httpx
import pytest
from flask import Flask
from PIL import Image
from werkzeug.test import TestResponse

from api import current
from api.preview_tokens import preview_url, source_of
from api.rooms import Rooms
from config.settings import Settings
from models.errors import NotFound
from tasks.source_pictures import LARGEST, SourcePictures
from tests.api.clients import JOBS, Shop, image, open_shop, order
from tests.api.conftest import serving
from tests.scripted_server import (
    CLOSED,
    Script,
    ScriptedServer,
    answer,
    close,
    dripping,
    garbage,
    reset,
    scripted_server,
    silence,
    truncated,
)
from tests.service import wait_until
from tests.unit.test_image_bombs import BOMBS

FAST = httpx.Timeout(0.3)
WRONG_TOKENS = ["x", "x.", f"x.{'y' * 43}", f"{'x' * 8001}.{'y' * 43}", "..", "%00", ""]


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
    settings = replace(settings, allow_private_image_urls=True)
    with serving(settings) as app:
        parts = app.extensions[current.KEY]
        parts.sources = SourcePictures(settings, FAST, total=0.6)
        parts.rooms = Rooms(patience=0.2)
        yield app
        parts.sources.close()


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


def test_an_image_of_a_job_has_a_preview(charlie: Shop, host: ScriptedServer) -> None:
    url = f"{host.url}/cup.jpg"
    charlie.post(order(images=[image(0, imageUrl=url)]))

    (item,) = charlie.get(f"{JOBS}/1").get_json()["items"]

    assert item["previewUrl"] == preview_of(charlie, url)


def test_preview_addresses_are_absolute_by_setting(settings: Settings) -> None:
    with serving(replace(settings, public_base_url="https://api.example")) as app:
        found = preview_of(open_shop(app, "alice"), "https://shop.example/a.jpg")

    assert found.startswith("https://api.example/previews/")


def test_an_address_is_checked_as_an_order_would_and_nothing_is_fetched(alice: Shop) -> None:
    for url in ("ftp://shop.example/a", "http://10.0.0.1/a", "http://a:b@shop.example/a", ""):
        refused = alice.get(f"/api/previews?url={quote(url, safe='')}")
        assert (refused.status_code, list(refused.get_json()["errors"])) == (400, ["url"]), url

    assert alice.get("/api/previews").status_code == 400
    assert alice.get("/api/previews?url=https://shop.example/a&x=1").status_code == 400


def test_who_has_no_token_makes_no_previews(app: Flask) -> None:
    assert app.test_client().get("/api/previews?url=https://shop.example/").status_code == 401


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


@pytest.mark.parametrize(("width", "size"), [(320, (320, 160)), (2048, (1000, 500))])
def test_a_picture_is_scaled_down_and_never_up(
    charlie: Shop, host: ScriptedServer, width: int, size: tuple[int, int]
) -> None:
    path = preview_of(charlie, host.url)

    assert shown(charlie.client().get(f"{path}?width={width}")).size == size


@pytest.mark.parametrize(
    "query", ["width=321", "width=0", "width=", "width=640px", "x=1", "width=640&width=640"]
)
def test_other_widths_are_refused(charlie: Shop, host: ScriptedServer, query: str) -> None:
    answer = charlie.client().get(f"{preview_of(charlie, host.url)}?{query}")

    assert answer.status_code == 400
    assert host.requests == []


def test_a_preview_may_be_kept_and_shown_anywhere_and_runs_nothing(
    charlie: Shop, host: ScriptedServer
) -> None:
    path = preview_of(charlie, host.url)
    first = charlie.client().get(path)

    again = charlie.client().get(path, headers={"If-None-Match": first.headers["ETag"]})

    assert (again.status_code, again.data) == (304, b"")
    for each in (first, again):
        assert set(each.headers["Cache-Control"].split(", ")) == {"public", "max-age=86400"}
        assert each.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
        assert each.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
        assert each.headers["X-Content-Type-Options"] == "nosniff"
        assert "Vary" not in each.headers
        assert "Set-Cookie" not in each.headers


def test_a_picture_that_is_not_the_named_one_is_not_sent(
    charlie: Shop, host: ScriptedServer
) -> None:
    path = preview_of(charlie, host.url)

    answer = charlie.client().get(path, headers={"If-Match": '"another"'})

    assert (answer.status_code, answer.get_json()["code"]) == (412, "precondition_failed")


def test_head_tells_what_get_would(charlie: Shop, host: ScriptedServer) -> None:
    path = preview_of(charlie, host.url)

    head = charlie.client().head(path)

    full = charlie.client().get(path)
    assert (head.status_code, head.data, head.content_length) == (200, b"", len(full.data))


def test_a_shops_host_learns_nothing_of_who_asks(charlie: Shop, host: ScriptedServer) -> None:
    host.play(answer(200, picture(), Set_Cookie="who=charlie; Path=/"))
    path = preview_of(charlie, f"{host.url}/cup.jpg")

    for _ in range(2):
        sent = {"Cookie": "a=b", "Referer": "https://a.example", "User-Agent": "browser"}
        assert charlie.client().get(path, headers=charlie.bearer | sent).status_code == 200

    assert [set(request.headers) for request in host.requests] == [
        {"host", "accept", "accept-encoding", "connection", "user-agent"}
    ] * 2
    assert host.requests[0].headers["user-agent"] == "Darkroom"


def test_redirects_are_followed_and_no_further_than_three(
    charlie: Shop, host: ScriptedServer
) -> None:
    path = preview_of(charlie, f"{host.url}/0")
    hops = [answer(302, b"", Location=f"/{number}") for number in range(1, 5)]

    host.play(*hops[:3], answer(200, picture()))
    followed = charlie.client().get(path)
    asked = [request.target for request in host.requests]
    host.play(*hops, answer(200, picture()))
    given_up = charlie.client().get(path)

    assert shown(followed).size == (640, 320)
    assert asked == ["/0", "/1", "/2", "/3"]
    assert given_up.status_code == 404
    assert len(host.requests) == 4


@pytest.mark.parametrize(
    "location",
    ["file:///etc/passwd", "ftp://shop.example/a", "gopher://127.0.0.1:70/", "http://a:b@127.0.0.1/",
     "javascript:1", "http://[::1", "http://\\127.0.0.1/", "data:image/png;base64,AAAA"],
)  # fmt: skip
def test_a_redirect_to_what_could_not_be_ordered_is_refused(
    charlie: Shop, host: ScriptedServer, location: str
) -> None:
    host.play(answer(302, b"", Location=location), answer(200, picture()))

    refused = charlie.client().get(preview_of(charlie, host.url))

    assert refused.status_code == (503 if location == "http://[::1" else 404)
    assert len(host.requests) == 1


def said_to_be_large(connection: socket.socket) -> object:
    connection.sendall(f"HTTP/1.1 200 OK\r\nContent-Length: {LARGEST + 1}\r\n\r\n".encode())
    return CLOSED


NOT_THERE = {
    "gone": answer(410, b""),
    "not found": answer(404, picture()),
    "forbidden": answer(403, b""),
    "nothing": answer(204, b""),
    "empty": answer(200, b""),
    "a page": answer(200, b"<html><script>alert(1)</script>", Content_Type="image/jpeg"),
    "an SVG": answer(200, b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"),
    "a BMP": answer(200, picture("BMP")),
    "a TIFF": answer(200, picture("TIFF")),
    "half a picture": answer(200, picture()[:5000]),
    "compressed": answer(200, picture(), Content_Encoding="gzip"),
    "said to be large": said_to_be_large,
    "not modified": answer(304, b""),
}
FAILING = {
    "an error": answer(500, b"Traceback: secret"),
    "too many requests": answer(429, b""),
    "a reset": reset,
    "a close": close,
    "no HTTP": garbage,
    "a body that ends early": truncated(200, picture()),
}


@pytest.mark.parametrize("script", NOT_THERE.values(), ids=NOT_THERE)
def test_what_is_no_picture_is_not_found_for_a_while(
    charlie: Shop, host: ScriptedServer, script: Script
) -> None:
    host.play(script)

    missing = charlie.client().get(preview_of(charlie, host.url))

    assert (missing.status_code, missing.get_json()["code"]) == (404, "preview_unavailable")
    assert missing.headers["Cache-Control"] == "public, max-age=30"
    assert missing.headers["Content-Type"] == "application/problem+json"
    assert "Error" not in missing.get_json()["detail"]


@pytest.mark.parametrize("script", FAILING.values(), ids=FAILING)
def test_a_host_that_fails_may_do_better_later(
    charlie: Shop, host: ScriptedServer, script: Script
) -> None:
    host.play(script)

    failed = charlie.client().get(preview_of(charlie, host.url))

    assert (failed.status_code, failed.get_json()["code"]) == (503, "preview_delayed")
    assert failed.headers["Cache-Control"] == "public, max-age=30"
    assert failed.headers["Retry-After"] == "30"
    assert "secret" not in failed.text


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_costs_little(charlie: Shop, host: ScriptedServer, name: str) -> None:
    host.play(answer(200, BOMBS[name]()))
    started = time.process_time()

    assert charlie.client().get(preview_of(charlie, host.url)).status_code in {200, 404}

    assert time.process_time() - started < 1.5


@pytest.mark.parametrize(
    "head", [b"", b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"]
)
def test_a_host_that_sends_byte_by_byte_ends_in_time(
    charlie: Shop, host: ScriptedServer, head: bytes
) -> None:
    host.play(dripping(host, head, pause=0.02))
    started = time.monotonic()

    assert charlie.client().get(preview_of(charlie, host.url)).status_code == 503

    assert time.monotonic() - started < 5


def looking_up(settings: Settings, *answers: list[str]) -> tuple[SourcePictures, list[str]]:
    """What fetches, on a resolver with an answer for each lookup; and the names it was asked."""
    left, asked = list(answers), list[str]()

    def lookup(name: str, _port: int) -> list[str]:
        asked.append(name)
        return left.pop(0)

    return SourcePictures(settings, FAST, 0.6, lookup), asked


@pytest.mark.parametrize(
    "found",
    [["127.0.0.1"], ["::1"], ["10.1.2.3"], ["169.254.169.254"], ["::ffff:10.0.0.1"],
     ["8.8.8.8", "192.168.0.1"], ["fd00::1"], ["64:ff9b::7f00:1"]],
    ids=str,
)  # fmt: skip
def test_a_name_that_leads_inside_is_not_connected_to(
    app: Flask, settings: Settings, alice: Shop, host: ScriptedServer, found: list[str]
) -> None:
    port = host.url.rpartition(":")[2]
    path = preview_of(alice, f"http://cdn.shop.example:{port}/cup.jpg")
    app.extensions[current.KEY].sources, asked = looking_up(settings, found)

    refused = alice.client().get(path)

    assert (refused.status_code, refused.get_json()["code"]) == (404, "preview_unavailable")
    assert asked == ["cdn.shop.example"]
    assert host.requests == []


def test_a_name_that_does_not_exist_is_answered_like_one_that_leads_inside(
    app: Flask, settings: Settings, alice: Shop
) -> None:
    path = preview_of(alice, "http://cdn.shop.example/cup.jpg")
    answers = []
    for found in ([], ["10.1.2.3"]):
        app.extensions[current.KEY].sources, _asked = looking_up(settings, found)
        answers.append(alice.client().get(path, headers={"X-Request-Id": "same"}))

    assert answers[0].get_json() == answers[1].get_json()


def test_a_token_from_when_private_hosts_were_allowed_fetches_none_any_more(
    app: Flask, charlie: Shop, host: ScriptedServer
) -> None:
    path = preview_of(charlie, host.url)

    assert app.test_client().get(path).status_code == 404
    assert host.requests == []


def test_a_host_that_hangs_leaves_room_for_everybody_else(
    charlie: Shop, host: ScriptedServer
) -> None:
    host.play(silence(host))
    parts = charlie.app.extensions[current.KEY]
    parts.sources.close()
    parts.sources = SourcePictures(parts.settings, httpx.Timeout(60.0), total=60.0)
    parts.rooms = Rooms(patience=60.0)
    paths = [preview_of(charlie, f"{host.url}/{number}") for number in range(16)]
    with ThreadPoolExecutor(16) as pool:
        answers = [pool.submit(charlie.client().get, path) for path in paths]
        wait_until(lambda: sum(a.done() for a in answers) == 10, "ten were sent away")
        sent_away = [each.result() for each in answers if each.done()]
        credits = charlie.get("/api/credits")
        hanging = len(host.requests)
        host.over.set()

    assert credits.status_code == 200
    assert hanging == 5
    assert {(each.status_code, each.get_json()["code"]) for each in sent_away} == {
        (503, "previews_busy")
    }
    assert {each.headers["Cache-Control"] for each in sent_away} == {"no-store"}
    assert all(each.headers["Retry-After"] == "1" for each in sent_away)
    assert [each.result().status_code for each in answers] == [503] * 16
