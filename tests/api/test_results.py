"""GET /results/<key>."""

import io
from collections.abc import Iterator
from dataclasses import replace

import httpx
import pytest
from flask import Flask
from moto.server import ThreadedMotoServer
from PIL import Image
from werkzeug.test import TestResponse

from config.settings import Settings
from models import lifecycle
from tasks.storage import open_storage
from tests.api.clients import open_shop, order
from tests.api.conftest import serving
from tests.shop import DEADLINE

KEY = "0f1e2d3c4b5a69788796a5b4c3d2e1f0.png"
PICTURE = b"\x89PNG a picture that the API does not look into"


def record(app: Flask) -> None:
    """Have an image end with this result."""
    open_shop(app, "alice").post(order())
    with app.app_context():
        turn = lifecycle.claim_next(DEADLINE)
        assert turn is not None
        lifecycle.finish(turn.attempt_id, KEY, "image/webp")


def fetch(app: Flask, headers: dict[str, str] | None = None) -> TestResponse:
    """Read the answer to its end, as a server does, so that its file is closed."""
    return app.test_client().get(f"/results/{KEY}", headers=headers, buffered=True)


@pytest.fixture
def stored(app: Flask, settings: Settings) -> Flask:
    """A result in the local folder."""
    record(app)
    open_storage(settings).put(KEY, PICTURE, "image/webp")
    return app


def test_a_result_needs_no_token_and_may_be_kept_for_ever(stored: Flask) -> None:
    answer = fetch(stored)

    assert (answer.status_code, answer.data) == (200, PICTURE)
    assert answer.content_type == "image/webp"
    caching = set(answer.headers["Cache-Control"].split(", "))
    assert caching == {"public", "max-age=31536000", "immutable"}
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert "Authorization" not in answer.headers.get("Vary", "")


def test_a_kept_result_is_not_sent_again(stored: Flask) -> None:
    tag = fetch(stored).headers["ETag"]

    answer = fetch(stored, {"If-None-Match": tag})

    assert (answer.status_code, answer.data) == (304, b"")
    assert "immutable" in answer.headers["Cache-Control"]


def test_a_part_of_a_result_can_be_fetched(stored: Flask) -> None:
    part = fetch(stored, {"Range": "bytes=1-3"})
    beyond = fetch(stored, {"Range": "bytes=999-"})

    assert (part.status_code, part.data) == (206, b"PNG")
    assert (beyond.status_code, beyond.get_json()["code"]) == (416, "range_not_satisfiable")
    assert beyond.headers["Content-Range"] == f"bytes */{len(PICTURE)}"


def test_a_result_that_is_not_the_one_asked_for_is_not_sent(stored: Flask) -> None:
    answer = fetch(stored, {"If-Match": '"another"'})

    assert (answer.status_code, answer.get_json()["code"]) == (412, "precondition_failed")
    assert fetch(stored, {"If-Match": f'"{KEY}"'}).data == PICTURE


@pytest.mark.parametrize(
    "key",
    [
        "a" * 32 + ".jpg",
        KEY.upper(),
        KEY[:-4],
        KEY + "x",
        "x" + KEY,
        KEY[:-4] + ".gif",
        KEY + "%00",
        KEY + "%0a",
        "..%2f..%2fetc%2fpasswd",
        "%2e%2e/darkroom.db",
        "",
    ],
)
def test_what_is_no_result_is_not_found(stored: Flask, key: str) -> None:
    answer = stored.test_client().get(f"/results/{key}")

    assert (answer.status_code, answer.get_json()["code"]) == (404, "not_found")


def test_a_file_that_no_row_knows_is_not_served(app: Flask, settings: Settings) -> None:
    open_storage(settings).put(KEY, PICTURE, "image/png")

    assert app.test_client().get(f"/results/{KEY}").status_code == 404


def test_a_result_whose_file_has_gone_is_not_found(stored: Flask, settings: Settings) -> None:
    open_storage(settings).delete(KEY)

    assert stored.test_client().get(f"/results/{KEY}").status_code == 404


def test_a_result_in_a_bucket_is_fetched_by_a_presigned_url(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "id")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    with serving(replace(settings, storage_url="s3://bucket/results")) as app:
        record(app)

        answer = fetch(app)

    assert answer.status_code == 302
    assert f"/results/{KEY}?" in answer.headers["Location"]
    assert "X-Amz-Expires=300" in answer.headers["Location"]
    assert answer.headers["Cache-Control"] == "private, max-age=60"


def test_a_storage_that_is_away_tells_nothing_internal(settings: Settings) -> None:
    with serving(replace(settings, storage_url="file:///proc/no/such/folder")) as app:
        record(app)

        answer = app.test_client().get(f"/results/{KEY}")

    assert (answer.status_code, answer.get_json()["code"]) == (503, "storage_unavailable")
    assert "/proc" not in answer.text


def real(kind: str = "PNG") -> bytes:
    out = io.BytesIO()
    Image.linear_gradient("L").resize((900, 600)).save(out, kind)
    return out.getvalue()


@pytest.fixture
def bucket(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """Settings of an API whose results are in S3."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
    monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "id")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    httpx.put(f"http://{host}:{port}/results").raise_for_status()
    yield replace(settings, storage_url="s3://results/prefix")
    server.stop()


def test_a_result_is_scaled_down_and_never_up(stored: Flask, settings: Settings) -> None:
    open_storage(settings).put(KEY, real(), "image/png")

    answers = [stored.test_client().get(f"/results/{KEY}?width={n}") for n in (320, 1280)]

    sizes = [Image.open(io.BytesIO(each.data), formats=("WEBP",)).size for each in answers]
    assert sizes == [(320, 213), (900, 600)]
    for each in answers:
        assert each.content_type == "image/webp"
        caching = set(each.headers["Cache-Control"].split(", "))
        assert caching == {"public", "max-age=31536000", "immutable"}
        assert each.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
        assert each.headers["Cross-Origin-Resource-Policy"] == "cross-origin"


def test_a_scaled_result_comes_from_here_also_where_it_is_in_a_bucket(bucket: Settings) -> None:
    with serving(bucket) as app:
        record(app)
        open_storage(bucket).put(KEY, real(), "image/png")

        answer = app.test_client().get(f"/results/{KEY}?width=320")
        open_storage(bucket).delete(KEY)
        gone = app.test_client().get(f"/results/{KEY}?width=320")

    assert Image.open(io.BytesIO(answer.data), formats=("WEBP",)).size == (320, 213)
    assert (gone.status_code, gone.get_json()["code"]) == (404, "not_found")


def test_a_scaled_result_that_is_kept_is_neither_read_nor_sent_again(
    stored: Flask, settings: Settings
) -> None:
    open_storage(settings).put(KEY, real(), "image/png")
    tag = stored.test_client().get(f"/results/{KEY}?width=320").headers["ETag"]
    open_storage(settings).delete(KEY)

    kept = stored.test_client().get(f"/results/{KEY}?width=320", headers={"If-None-Match": tag})
    other = stored.test_client().get(f"/results/{KEY}?width=640", headers={"If-None-Match": tag})

    assert (kept.status_code, kept.data) == (304, b"")
    assert "immutable" in kept.headers["Cache-Control"]
    assert other.status_code == 404


def test_a_result_that_cannot_be_scaled_is_not_shown(stored: Flask) -> None:
    answer = stored.test_client().get(f"/results/{KEY}?width=320")

    assert (answer.status_code, answer.get_json()["code"]) == (404, "preview_unavailable")


def test_a_scaled_result_of_a_storage_that_is_away_tells_nothing_internal(
    settings: Settings,
) -> None:
    with serving(replace(settings, storage_url="file:///proc/no/such/folder")) as app:
        record(app)

        answer = app.test_client().get(f"/results/{KEY}?width=320")

    assert (answer.status_code, answer.get_json()["code"]) == (503, "storage_unavailable")


@pytest.mark.parametrize("width", ["321", "0", "-320", "x", "", "320.0"])
def test_a_result_in_another_width_is_refused(stored: Flask, width: str) -> None:
    answer = stored.test_client().get(f"/results/{KEY}?width={width}")

    assert (answer.status_code, list(answer.get_json()["errors"])) == (400, ["width"])


def check_download(answer: TestResponse, data: bytes) -> None:
    assert (answer.status_code, answer.data) == (200, data)
    assert answer.content_length == len(data)
    assert answer.headers["Content-Disposition"] == f"attachment; filename={KEY}"
    assert answer.content_type == "image/webp"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    caching = set(answer.headers["Cache-Control"].split(", "))
    assert caching == {"public", "max-age=31536000", "immutable"}


def download(app: Flask, headers: dict[str, str] | None = None) -> TestResponse:
    return app.test_client().get(f"/results/{KEY}?download=true", headers=headers, buffered=True)


def test_a_result_can_be_saved(stored: Flask) -> None:
    check_download(download(stored), PICTURE)


def test_a_result_in_a_bucket_is_saved_from_here(bucket: Settings) -> None:
    large = PICTURE * (3 * 2**20 // len(PICTURE))
    with serving(bucket) as app:
        record(app)
        open_storage(bucket).put(KEY, large, "image/webp")

        whole, head = download(app), app.test_client().head(f"/results/{KEY}?download=true")
        other = download(app, {"If-Match": '"another"'})
        open_storage(bucket).delete(KEY)
        kept, gone = download(app, {"If-None-Match": f'"{KEY}"'}), download(app)

    check_download(whole, large)
    assert (head.status_code, head.content_length) == (200, len(large))
    assert (other.status_code, kept.status_code, gone.status_code) == (412, 304, 404)


@pytest.mark.parametrize("query", ["download=false", "download=", "download=true&width=320"])
def test_another_way_to_save_is_refused(stored: Flask, query: str) -> None:
    answer = stored.test_client().get(f"/results/{KEY}?{query}")

    assert (answer.status_code, list(answer.get_json()["errors"])) == (400, ["download"])


def test_a_query_is_refused(stored: Flask) -> None:
    assert stored.test_client().get(f"/results/{KEY}?x=1").status_code == 400


def test_head_of_a_result(stored: Flask) -> None:
    answer = stored.test_client().head(f"/results/{KEY}")

    assert (answer.status_code, answer.data, answer.content_length) == (200, b"", len(PICTURE))
