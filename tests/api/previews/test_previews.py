"""GET /previews/<token> and GET /api/previews: shops' own pictures, from this service's origin."""

from dataclasses import replace
from urllib.parse import quote

import pytest
from flask import Flask

from config.settings import Settings
from tests.api.clients import JOBS, Shop, image, open_shop, order
from tests.api.conftest import serving
from tests.api.previews.kit import picture, preview_of, shown
from tests.scripted_server import (
    ScriptedServer,
    answer,
)


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
