"""Results in a local folder and in S3, and the images that are refused before they get there."""

import io
import socket
import struct
import time
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from random import Random

import httpx
import pytest
from moto.server import ThreadedMotoServer
from PIL import Image

from config.settings import Settings
from tasks.image_check import ImageKind, check_image
from tasks.provider_errors import ResultUnusable, Retryable
from tasks.storage import PIECE, Storage, StorageUnavailable, open_storage
from tests.replicate_bench import settings

KEY = "0123456789abcdef0123456789abcdef.png"


def stored_at(url: str) -> Settings:
    return replace(settings("http://127.0.0.1:9"), storage_url=url)


def picture(kind: str, size: tuple[int, int] = (64, 48)) -> bytes:
    noise = Image.frombytes("RGB", size, Random(7).randbytes(size[0] * size[1] * 3))
    out = io.BytesIO()
    noise.save(out, kind)
    return out.getvalue()


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(s3: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Storage]:
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3)
    monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key-of-the-tests")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret-of-the-tests")
    httpx.put(f"{s3}/results").raise_for_status()
    yield open_storage(stored_at("s3://results/some/prefix"))
    httpx.post(f"{s3}/moto-api/reset")


@pytest.fixture
def folder(tmp_path: Path) -> Storage:
    return open_storage(stored_at(f"file://{tmp_path}/not%20yet/there"))


@pytest.fixture(params=["folder", "bucket"])
def storage(request: pytest.FixtureRequest) -> Storage:
    opened: Storage = request.getfixturevalue(request.param)
    return opened


def test_what_was_put_is_there_until_it_is_deleted(storage: Storage) -> None:
    storage.put(KEY, b"first", "image/png")
    storage.put(KEY, b"second", "image/png")

    assert storage.exists(KEY)
    assert storage.get(KEY) == b"second"

    storage.delete(KEY)
    storage.delete(KEY)

    assert not storage.exists(KEY)
    with pytest.raises(FileNotFoundError):
        storage.get(KEY)


def test_what_is_stored_comes_in_pieces(storage: Storage) -> None:
    data = Random(7).randbytes(2 * PIECE + 1)
    storage.put(KEY, data, "image/png")

    size, pieces = storage.stream(KEY)
    read = list(pieces)
    storage.delete(KEY)

    assert (size, b"".join(read)) == (len(data), data)
    assert [len(piece) for piece in read] == [PIECE, PIECE, 1]
    with pytest.raises(FileNotFoundError):
        storage.stream(KEY)


@pytest.mark.parametrize(
    "key",
    [
        "../" + KEY,
        "a/" + KEY,
        KEY + "\n",
        KEY.upper(),
        KEY[:-4],
        KEY[1:],
        "",
        KEY[:-3] + "svg",
        "/" + KEY,
    ],
)
def test_a_key_that_could_name_another_file_is_refused(folder: Storage, key: str) -> None:
    with pytest.raises(ValueError, match="hexadecimal"):
        folder.local_path(key)
    with pytest.raises(ValueError, match="hexadecimal"):
        folder.put(key, b"", "image/png")
    with pytest.raises(ValueError, match="hexadecimal"):
        folder.presigned_url(key, 60)


def test_a_local_result_is_a_file_that_can_be_served(folder: Storage, tmp_path: Path) -> None:
    folder.put(KEY, b"image", "image/png")

    path = folder.local_path(KEY)

    assert path == tmp_path / "not yet" / "there" / KEY
    assert path.read_bytes() == b"image"
    assert list(path.parent.iterdir()) == [path]
    assert folder.presigned_url(KEY, 60) is None


def test_a_folder_that_has_gone_is_not_made_anew_behind_a_missing_mount(
    folder: Storage, tmp_path: Path
) -> None:
    (tmp_path / "not yet" / "there").rmdir()

    with pytest.raises(StorageUnavailable):
        folder.put(KEY, b"image", "image/png")

    assert not folder.exists(KEY)


def test_a_file_where_the_folder_should_be_is_unavailable_not_a_crash(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")

    with pytest.raises(StorageUnavailable):
        open_storage(stored_at(f"file://{tmp_path}/file/results"))


def test_a_presigned_url_gives_the_same_bytes_with_their_content_type(bucket: Storage) -> None:
    bucket.put(KEY, picture("PNG"), "image/png")

    url = bucket.presigned_url(KEY, 60)

    assert url is not None
    answer = httpx.get(url)
    assert answer.status_code == 200
    assert answer.content == picture("PNG")
    assert answer.headers["Content-Type"] == "image/png"
    assert "/some/prefix/" in url
    assert "secret-of-the-tests" not in url
    assert bucket.local_path(KEY) is None


def test_a_bucket_that_does_not_exist_is_unavailable(bucket: Storage) -> None:
    elsewhere = open_storage(stored_at("s3://nobodys-bucket"))

    with pytest.raises(StorageUnavailable) as caught:
        elsewhere.put(KEY, b"image", "image/png")

    assert isinstance(caught.value, Retryable)


def test_storage_that_does_not_answer_ends_in_time(
    bucket: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{deaf.getsockname()[1]}")
        silent = open_storage(stored_at("s3://results"), timeout=0.5)
        started = time.monotonic()

        with pytest.raises(StorageUnavailable):
            silent.put(KEY, b"image", "image/png")

        assert time.monotonic() - started < 5


def test_storage_that_is_not_there_is_unavailable(
    bucket: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    absent = open_storage(stored_at("s3://results"))

    for act in (absent.exists, absent.get, absent.delete):
        with pytest.raises(StorageUnavailable):
            act(KEY)


@pytest.mark.parametrize(
    ("kind", "content_type", "extension"),
    [("JPEG", "image/jpeg", "jpg"), ("PNG", "image/png", "png"), ("WEBP", "image/webp", "webp")],
)
def test_a_whole_image_is_known_by_its_content(
    kind: str, content_type: str, extension: str
) -> None:
    assert check_image(picture(kind)) == ImageKind(content_type, extension, 64, 48)


def test_a_photograph_with_a_second_picture_inside_is_a_jpeg() -> None:
    out = io.BytesIO()
    first, second = (Image.new("RGB", (20, 10), colour) for colour in ("red", "blue"))
    first.save(out, "MPO", save_all=True, append_images=[second])

    assert check_image(out.getvalue()) == ImageKind("image/jpeg", "jpg", 20, 10)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("share", [0.05, 0.5, 0.9])
def test_a_truncated_image_is_refused(kind: str, share: float) -> None:
    whole = picture(kind)

    with pytest.raises(ResultUnusable):
        check_image(whole[: int(len(whole) * share)])


@pytest.mark.parametrize("kind", ["GIF", "BMP", "TIFF", "ICO", "PDF"])
def test_other_kinds_are_refused(kind: str) -> None:
    with pytest.raises(ResultUnusable):
        check_image(picture(kind))


@pytest.mark.parametrize("data", [b"", b"<html>", b"<svg xmlns='http://www.w3.org/2000/svg'/>"])
def test_what_is_no_image_is_refused(data: bytes) -> None:
    with pytest.raises(ResultUnusable):
        check_image(data)


@pytest.mark.parametrize("side", [7_000, 12_000, 60_000])
def test_a_small_file_with_a_huge_picture_is_refused_before_it_is_decoded(side: int) -> None:
    def chunk(name: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        )

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
    bomb = b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")

    with pytest.raises(ResultUnusable):
        check_image(bomb)


def test_an_image_above_the_given_limit_is_refused() -> None:
    with pytest.raises(ResultUnusable, match="3000 pixels"):
        check_image(picture("PNG"), max_pixels=3000)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_mutated_images_are_either_whole_or_refused(kind: str) -> None:
    random = Random(11)
    for _ in range(300):
        data = bytearray(picture(kind, (16, 12)))
        for _ in range(random.randint(1, 12)):
            data[random.randrange(min(len(data), 200))] = random.randrange(256)
        try:
            assert check_image(bytes(data)).width > 0
        except ResultUnusable:
            continue
