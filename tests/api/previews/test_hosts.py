"""Hosts that redirect, fail, hang, or lead inside."""

import socket
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from flask import Flask

from api import current
from api.rooms import Rooms
from config.settings import Settings
from tasks.source_pictures import LARGEST, SourcePictures
from tests.api.clients import Shop
from tests.api.previews.kit import FAST, picture, preview_of, shown
from tests.scripted_server import (
    CLOSED,
    Script,
    ScriptedServer,
    answer,
    close,
    dripping,
    garbage,
    reset,
    silence,
    truncated,
)
from tests.service import wait_until
from tests.unit.test_image_bombs import BOMBS


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
