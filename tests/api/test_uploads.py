"""/api/uploads and /uploads/<key>: pictures from a shop's own disk."""

import hashlib
import io
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select, update

from api.receiving import Body, TooSlow, plain_name
from config.settings import Settings
from models import lifecycle, uploads
from models.clock import from_now
from models.database import db
from models.errors import UnknownUpload
from models.orders import ImageOrder, JobOrder
from models.tables import Upload
from tests.api.clients import JOBS, Shop, image, open_shop, order
from tests.api.conftest import serving
from tests.api.uploading import UPLOADS, delete, listed, send, send_form, uploaded
from tests.pictures import file_of, opened, painted, telling

KEY = "/uploads/" + "a" * 32 + ".jpg"
NO_UPLOAD = "There is no such upload of yours."


def shift(app: Flask, upload_id: int, seconds: float) -> None:
    """Let an upload expire so many seconds from now."""
    one = update(Upload).where(Upload.id == upload_id)
    with app.app_context(), db.engine.begin() as connection:
        connection.execute(one.values(expires_at=from_now(seconds)))


def row(app: Flask, upload_id: int) -> Upload:
    with app.app_context():
        return db.session.scalars(select(Upload).where(Upload.id == upload_id)).one()


def order_of(url: str, references: list[str] | None = None) -> dict[str, object]:
    return order(images=0) | {"images": [image(imageUrl=url, referenceImageUrls=references or [])]}


@pytest.fixture
def any_shops(database_url: str, tmp_path: Path, settings: Settings) -> Iterator[tuple[Shop, Shop]]:
    """Alice and Bob, on each kind of database."""
    with serving(replace(settings, database_url=database_url)) as app:
        yield open_shop(app, "alice"), open_shop(app, "bob")


def test_a_picture_is_uploaded_shown_listed_and_deleted(any_shops: tuple[Shop, Shop]) -> None:
    alice, bob = any_shops
    data = file_of(painted(), exif=telling())

    answer = send(alice, data, "..\\photos/My \u202ecup.jpg")

    told = answer.get_json()
    assert answer.status_code == 201
    assert answer.headers["Location"] == f"{UPLOADS}/{told['id']}"
    assert (told["width"], told["height"]) == (200, 320)
    assert (told["contentType"], told["fileName"]) == ("image/jpeg", "My cup.jpg")
    assert re.fullmatch(r"/uploads/[0-9a-f]{32}\.jpg", told["imageUrl"])
    assert row(alice.app, told["id"]).sha256 == hashlib.sha256(data).hexdigest()
    shown = alice.client().get(told["imageUrl"], buffered=True)
    assert (shown.status_code, len(shown.data)) == (200, told["bytes"])
    assert opened(shown.data).size == (200, 320)
    assert "immutable" in shown.headers["Cache-Control"]
    assert shown.headers["X-Content-Type-Options"] == "nosniff"
    assert shown.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert shown.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    small = alice.client().get(f"{told['imageUrl']}?width=320")
    assert (small.content_type, opened(small.data).size) == ("image/webp", (200, 320))

    second = uploaded(alice)
    one = f"{UPLOADS}/{told['id']}"
    assert alice.get(one).get_json() == told
    assert alice.get(one, {"If-None-Match": alice.get(one).headers["ETag"]}).status_code == 304
    assert listed(alice) == [second["id"], told["id"]]
    page = alice.get(f"{UPLOADS}?limit=1").get_json()
    assert listed(alice, f"?cursor={page['nextCursor']}") == [told["id"]]
    assert listed(bob) == []
    assert bob.get(one).status_code == 404
    assert delete(bob, told["id"]).status_code == 404
    assert bob.get(f"{UPLOADS}?cursor={page['nextCursor']}").status_code == 400

    assert delete(alice, told["id"]).status_code == 204
    assert delete(alice, told["id"]).status_code == 404
    assert alice.get(one).status_code == 404
    assert listed(alice) == [second["id"]]
    assert alice.client().get(told["imageUrl"]).status_code == 404


def test_an_order_takes_uploads_and_keeps_them(any_shops: tuple[Shop, Shop]) -> None:
    alice, _bob = any_shops
    photo, style, other = (uploaded(alice) for _ in range(3))

    accepted = alice.post(order_of(photo["imageUrl"], [style["imageUrl"], photo["imageUrl"]]))

    assert accepted.status_code == 201, accepted.text
    item = alice.get(f"{JOBS}/{accepted.get_json()['job']['id']}").get_json()["items"][0]
    assert item["imageUrl"] == item["previewUrl"] == photo["imageUrl"]
    assert item["referenceImageUrls"] == [style["imageUrl"], photo["imageUrl"]]
    for used in (photo, style):
        assert "expiresAt" not in alice.get(f"{UPLOADS}/{used['id']}").get_json()
        refused = delete(alice, used["id"])
        assert (refused.status_code, refused.get_json()["code"]) == (409, "upload_in_use")
    assert delete(alice, other["id"]).status_code == 204


def test_an_order_takes_no_upload_of_another_nor_one_that_expired(
    any_shops: tuple[Shop, Shop],
) -> None:
    alice, bob = any_shops
    alices, expired = uploaded(alice), uploaded(bob)
    shift(bob.app, expired["id"], -1)

    answers = [
        bob.post(order_of(alices["imageUrl"])),
        bob.post(order_of(expired["imageUrl"])),
        bob.post(order_of(KEY)),
    ]
    reference = bob.post(order_of("https://shop.example/a.jpg", [alices["imageUrl"]]))
    preview = bob.get(f"/api/previews?url={alices['imageUrl']}")

    told = {(each.status_code, str(each.get_json()["errors"])) for each in answers}
    assert told == {(400, str({"images.0.imageUrl": [NO_UPLOAD]}))}
    assert list(reference.get_json()["errors"]) == ["images.0.referenceImageUrls.0"]
    assert preview.status_code == 400
    assert bob.jobs() == []
    assert row(alice.app, alices["id"]).last_used_at is None


def test_an_upload_that_expires_between_check_and_charge_costs_nothing(alice: Shop) -> None:
    kept = uploaded(alice)
    shift(alice.app, kept["id"], -1)
    before = alice.balance()

    with alice.app.app_context(), pytest.raises(UnknownUpload):
        order_now(alice, kept["imageUrl"])

    assert alice.balance() == before


def order_now(shop: Shop, url: str) -> None:
    """Submit as the API does once it has checked the order."""
    lifecycle.submit(shop.id, JobOrder("cup", "The cup", (ImageOrder("a", url, "brighter"),)), 15)


def test_our_own_address_is_taken_in_both_forms(settings: Settings) -> None:
    public = "https://darkroom.example"
    settings = replace(settings, public_base_url=public)
    with serving(settings) as app:
        alice = open_shop(app, "alice")
        told = uploaded(alice)
        path = told["imageUrl"].removeprefix(public)

        whole = alice.post(order_of(told["imageUrl"]))
        bare = alice.post(order_of(path, [told["imageUrl"]]))

        assert told["imageUrl"] == public + path
        for accepted in (whole, bare):
            job = accepted.get_json()["job"]["id"]
            item = alice.get(f"{JOBS}/{job}").get_json()["items"][0]
            assert item["imageUrl"] == item["previewUrl"] == told["imageUrl"]
        preview = alice.get(f"/api/previews?url={path}").get_json()
        assert preview == {"imageUrl": told["imageUrl"], "previewUrl": told["imageUrl"]}


def test_what_is_no_form_with_one_picture_is_refused(alice: Shop) -> None:
    picture = file_of(painted())

    def refusal(answer: object) -> tuple[int, str, list[str]]:
        problem = answer.get_json()  # type: ignore[attr-defined]
        return problem["status"], problem["code"], sorted(problem.get("errors", {}))

    assert refusal(send(alice, b"GIF89a")) == (400, "unusable_picture", ["file"])
    assert refusal(send_form(alice, {})) == (400, "invalid_input", ["file"])
    assert refusal(send_form(alice, {"file": "text"})) == (400, "invalid_input", ["file"])
    assert refusal(send(alice, picture, field="picture")) == (
        400, "invalid_input", ["file", "picture"],
    )  # fmt: skip
    two = {"file": [(io.BytesIO(picture), "a.jpg"), (io.BytesIO(picture), "b.jpg")]}
    assert refusal(send_form(alice, two)) == (400, "invalid_input", ["file"])
    torn = alice.client().post(
        UPLOADS, data=b"--x\r\nno", content_type="multipart/form-data; boundary=x",
        headers=alice.bearer,
    )  # fmt: skip
    assert refusal(torn) == (400, "invalid_input", ["body"])
    bare = alice.client().post(
        UPLOADS, data=picture, content_type="image/jpeg", headers=alice.bearer
    )
    assert refusal(bare) == (415, "not_a_form", [])
    assert alice.get(UPLOADS).get_json() == {"uploads": [], "nextCursor": None}


def test_a_file_that_is_too_large_is_refused_also_in_chunks(settings: Settings) -> None:
    with serving(replace(settings, upload_max_bytes=1_000_000)) as app:
        alice = open_shop(app, "alice")
        picture = file_of(painted((100, 100)))
        fitting, large = (picture + bytes(size - len(picture)) for size in (1_000_000, 1_000_001))

        answers = [
            alice.client().post(
                UPLOADS,
                data=form_of(data),
                content_type="multipart/form-data; boundary=b",
                headers=alice.bearer,
            )
            for data in (fitting, large, b"x" * 2_000_000)
        ]

        assert [each.status_code for each in answers] == [201, 413, 413]
        chunked = alice.client().post(
            UPLOADS,
            input_stream=io.BytesIO(form_of(b"x" * 2_000_000)),
            content_type="multipart/form-data; boundary=b",
            headers=alice.bearer | {"Transfer-Encoding": "chunked"},
            environ_overrides={"wsgi.input_terminated": True, "CONTENT_LENGTH": ""},
        )
        assert (chunked.status_code, chunked.get_json()["code"]) == (413, "body_too_large")


def form_of(data: bytes) -> bytes:
    head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n'
    return head + data + b"\r\n--b--\r\n"


def test_what_the_storage_refuses_is_shown_to_nobody_for_long(
    alice: Shop, settings: Settings
) -> None:
    first = uploaded(alice)
    folder = Path(settings.storage_url.removeprefix("file://"))
    folder.rename(folder.with_name("away"))

    refused = send(alice, file_of(painted()))

    assert (refused.status_code, refused.get_json()["code"]) == (503, "storage_unavailable")
    left, kept = listed(alice)
    assert kept == first["id"]
    shift(alice.app, left, -uploads.GRACE_SECONDS - 1)
    with alice.app.app_context():
        assert [upload_id for upload_id, _key in uploads.expired(10)] == [left]


def test_a_body_that_comes_too_slowly_is_given_up() -> None:
    late = Body(io.BytesIO(b"abc"), most=10, seconds=-1.0)

    with pytest.raises(TooSlow):
        late.read(1)


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("cup.jpg", "cup.jpg"),
        ("C:\\fakepath\\cup.jpg", "cup.jpg"),
        ("../../etc/passwd", "passwd"),
        ("a\x00b\r\n\ud800.jpg", "ab.jpg"),
        ("x" * 300, "x" * 255),
        ("folder/", None),
    ],
)
def test_of_a_name_only_what_can_be_seen_is_kept(name: str, plain: str | None) -> None:
    assert plain_name(name) == plain
