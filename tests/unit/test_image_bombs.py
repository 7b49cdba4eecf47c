"""A small file that would cost much once decoded is refused, and refusing it costs little."""

import io
import struct
import time
import zlib
from collections.abc import Callable
from random import Random

import pytest
from PIL import Image

from tasks.image_check import check_image
from tasks.provider_errors import ResultUnusable

MANY = 60


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png(width: int, height: int, *extra: bytes, rows: bytes = b"") -> bytes:
    """A grey PNG with these chunks before its pixels."""
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    pixels = rows or b"\0" * (width + 1) * height
    return b"".join(
        [b"\x89PNG\r\n\x1a\n", head, *extra, chunk(b"IDAT", zlib.compress(pixels, 9)),
         chunk(b"IEND", b"")]
    )  # fmt: skip


def zipped(size: int) -> bytes:
    return zlib.compress(b"a" * size, 9)


def frames(count: int) -> list[Image.Image]:
    """Pictures that differ, so that none is left out."""
    noise = Random(7)
    return [Image.frombytes("RGB", (16, 16), noise.randbytes(768)) for _ in range(count)]


def animated(kind: str, count: int) -> bytes:
    first, *others = frames(count)
    out = io.BytesIO()
    first.save(out, kind, save_all=True, append_images=others)
    return out.getvalue()


def in_scans(count: int, side: int = 64) -> bytes:
    """A progressive JPEG whose last scan comes so many times more."""
    out = io.BytesIO()
    Image.new("L", (side, side)).save(out, "JPEG", progressive=True)
    whole = out.getvalue()
    scan = whole[whole.rindex(b"\xff\xc4") : -2]
    return whole[:-2] + scan * count + b"\xff\xd9"


def on_a_giant_canvas() -> bytes:
    data = bytearray(animated("WEBP", 3))
    data[24:30] = b"\xfe\x3f\x00" * 2
    return bytes(data)


def many_texts() -> bytes:
    return png(8, 8, *[chunk(b"zTXt", b"k%d\0\0" % n + zipped(2**20 - 9)) for n in range(70)])


BOMBS: dict[str, Callable[[], bytes]] = {
    "a giant picture in few bytes": lambda: png(60_000, 60_000, rows=b"\0" * 99),
    "a picture just above the limit": lambda: png(6_400, 6_300),
    "a compressed text": lambda: png(8, 8, chunk(b"zTXt", b"k\0\0" + zipped(50 * 2**20))),
    "an international text": lambda: png(8, 8, chunk(b"iTXt", b"k\0\1\0\0\0" + zipped(50 * 2**20))),
    "a colour profile": lambda: png(8, 8, chunk(b"iCCP", b"k\0\0" + zipped(50 * 2**20))),
    "many texts": many_texts,
    "an animated PNG": lambda: animated("PNG", MANY),
    "an animated WebP": lambda: animated("WEBP", MANY),
    "an animated WebP on a giant canvas": on_a_giant_canvas,
    "a JPEG in a thousand scans": lambda: in_scans(1_000, side=2_000),
}  # fmt: skip


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_at_little_cost(name: str) -> None:
    bomb = BOMBS[name]()
    started = time.process_time()

    with pytest.raises(ResultUnusable):
        check_image(bomb)

    assert len(bomb) < 300_000
    assert time.process_time() - started < 1.5


def test_a_plain_progressive_jpeg_is_no_bomb() -> None:
    assert check_image(in_scans(0)).content_type == "image/jpeg"


def test_more_data_than_pixels_is_not_inflated() -> None:
    started = time.process_time()

    kind = check_image(png(8, 8, rows=b"\0" * 2**26))

    assert (kind.width, kind.height) == (8, 8)
    assert time.process_time() - started < 1.0
