"""What becomes of a file that is uploaded."""

import struct
import zlib

import pytest
from PIL import Image, ImageCms

from api.cleaning import ANIMATION, BROKEN_PICTURE, NO_PICTURE, Unusable, clean
from tests.pictures import CAMERA, LYING, file_of, opened, painted, telling

XMP = b"<x:xmpmeta>tell-tale</x:xmpmeta>"


def header_only(width: int, height: int) -> bytes:
    """A PNG that says how large it is, and has next to nothing in it."""
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)), (b"IDAT", b"x")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_picture_stands_upright_and_tells_nothing(kind: str) -> None:
    options = {"exif": telling(), "xmp": XMP} | (
        {"comment": b"tell-tale"} if kind == "JPEG" else {}
    )
    data = file_of(painted(), kind, **options) + b"tell-tale behind its end"

    cleaned = clean(data)

    picture = opened(cleaned.data)
    assert cleaned.content_type == Image.MIME[kind]
    assert (cleaned.width, cleaned.height) == picture.size == (LYING[1], LYING[0])
    assert not dict(picture.getexif())
    assert b"tell-tale" not in cleaned.data
    assert CAMERA.encode() not in cleaned.data
    # What was on the left is at the top now: bright pixels of the first channel begin there.
    red = picture.convert("RGB").getchannel("R")
    upper, lower = (
        red.crop((90, y, 110, y + 20)).resize((1, 1)).getpixel((0, 0)) for y in (5, 290)
    )
    was = painted().getchannel("R")
    left, right = (was.crop((x, 90, x + 20, 110)).resize((1, 1)).getpixel((0, 0)) for x in (5, 290))
    assert upper == pytest.approx(left, abs=6)
    assert lower == pytest.approx(right, abs=6)


def test_the_pixels_of_a_jpeg_stay_what_they_were_and_it_does_not_grow() -> None:
    data = file_of(painted((600, 400)), quality=80)

    cleaned = clean(data)

    before, after = opened(data), opened(cleaned.data)
    assert max(abs(a - b) for a, b in zip(before.tobytes(), after.tobytes(), strict=True)) <= 4
    assert len(cleaned.data) < 1.2 * len(data)


def test_colours_come_out_in_srgb() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    lab = file_of(Image.new("RGB", (20, 20), (200, 30, 30)), "PNG", icc_profile=profile)
    cmyk = file_of(painted(mode="CMYK"))

    fits_not, other_colours = clean(lab), clean(cmyk)

    assert opened(fits_not.data).getpixel((5, 5)) == (200, 30, 30)
    assert opened(other_colours.data).mode == "RGB"
    assert "icc_profile" not in opened(fits_not.data).info


def test_each_kind_of_png_is_taken() -> None:
    for mode in ("1", "L", "P", "LA", "RGBA", "I;16"):
        picture = Image.new(mode, (30, 20), 3000) if mode == "I;16" else painted((30, 20), mode)

        cleaned = clean(file_of(picture, "PNG"))

        expected = "RGBA" if mode in {"LA", "RGBA"} else "RGB"
        assert (mode, opened(cleaned.data).mode) == (mode, expected)


def test_a_phone_s_second_picture_stays_behind() -> None:
    first, second = painted(), painted((50, 50))
    data = file_of(first, "MPO", save_all=True, append_images=[second])

    cleaned = clean(data)

    assert (opened(cleaned.data).format, cleaned.extension, cleaned.width) == ("JPEG", "jpg", 320)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", NO_PICTURE),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", NO_PICTURE),
        (file_of(painted(), "GIF"), NO_PICTURE),
        (file_of(painted())[:-200], BROKEN_PICTURE),
        (file_of(painted(), "PNG")[:-30], BROKEN_PICTURE),
        (file_of(painted(), "PNG", save_all=True, append_images=[painted()]), ANIMATION),
        (file_of(painted(), "WEBP", save_all=True, append_images=[painted(mode="L")]), ANIMATION),
        (header_only(10_000, 5_001), "This picture has more than 50 million pixels."),
        (header_only(60_000, 60_000), "This picture has more than 50 million pixels."),
        (header_only(2**31 - 1, 2**31 - 1), "This picture has more than 50 million pixels."),
    ],
    ids=[
        "nothing", "SVG", "GIF", "a JPEG cut short", "a PNG cut short", "an animated PNG",
        "an animated WebP", "too large", "far too large", "absurdly large",
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_refused_with_a_reason(data: bytes, told: str) -> None:
    with pytest.raises(Unusable) as refused:
        clean(data)

    assert str(refused.value) == told


def test_a_broken_checksum_is_noticed() -> None:
    data = bytearray(file_of(painted(), "PNG"))
    data[-20] ^= 1

    with pytest.raises(Unusable):
        clean(bytes(data))


def test_a_jpeg_of_a_thousand_scans_is_refused() -> None:
    data = file_of(painted(), progressive=True)
    bomb = data[:-2] + b"\xff\xda\x00" * 200 + data[-2:]

    with pytest.raises(Unusable, match="too long"):
        clean(bomb)
