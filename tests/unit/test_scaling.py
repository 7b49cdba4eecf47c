"""Pictures become small WebPs that tell nothing but their pixels, in bounded memory."""

import io
import struct
import warnings
import zlib
from random import Random

import pytest
from PIL import ExifTags, Image, ImageCms

from api.scaling import Unscalable, scale
from tests.unit.test_image_bombs import chunk, in_scans, png

LYING = {5, 6, 7, 8}
# Where the red corner comes to lie, by how the camera was held: x, then y, from 0 to 1.
CORNERS = {1: (0, 0), 2: (1, 0), 3: (1, 1), 4: (0, 1), 5: (0, 0), 6: (1, 0), 7: (1, 1), 8: (0, 1)}


def cornered(mode: str = "RGB") -> Image.Image:
    """A blue picture, 1000 x 600, with a red corner at its top left."""
    image = Image.new("RGB", (1000, 600), "blue")
    image.paste("red", (0, 0, 200, 200))
    return image.convert(mode)


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def small(data: bytes, width: int = 320) -> Image.Image:
    image = Image.open(io.BytesIO(scale(data, width)), formats=("WEBP",))
    image.load()
    return image


def colour(image: Image.Image, across: float, down: float) -> tuple[int, ...]:
    at = (int(across * (image.width - 11)) + 5, int(down * (image.height - 11)) + 5)
    found = image.convert("RGB").getpixel(at)
    assert isinstance(found, tuple)
    return tuple(map(int, found))


def is_red(pixel: tuple[int, ...]) -> bool:
    return pixel[0] > 200 and pixel[2] < 60


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "AVIF"])
@pytest.mark.parametrize("width", [320, 640, 1280, 2048])
def test_every_kind_is_scaled_down_to_every_width_and_never_up(kind: str, width: int) -> None:
    image = small(saved(cornered(), kind), width)

    expected = min(width, 1000)
    assert image.size == (expected, round(expected * 0.6))
    assert is_red(colour(image, 0, 0))
    assert not is_red(colour(image, 1, 1))


@pytest.mark.parametrize("turn", CORNERS)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_picture_is_shown_as_the_camera_was_held(kind: str, turn: int) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = turn

    image = small(saved(cornered(), kind, exif=exif))

    assert image.size == ((320, 533) if turn in LYING else (320, 192))
    assert is_red(colour(image, *CORNERS[turn]))
    assert sum(is_red(colour(image, *corner)) for corner in ((0, 0), (0, 1), (1, 0), (1, 1))) == 1


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF"])
def test_places_cameras_and_comments_stay_behind(kind: str) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "SecretCamera"
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitude] = (52.0, 31.0, 12.0)
    data = saved(cornered(), kind, exif=exif, xmp=b"<x:xmpmeta>SecretPlace</x:xmpmeta>")
    assert b"Secret" in data

    shrunk = scale(data, 320)

    assert b"Secret" not in shrunk
    assert not set(Image.open(io.BytesIO(shrunk)).info) & {"exif", "xmp", "icc_profile", "comment"}


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_an_orientation_that_means_nothing_changes_nothing(orientation: object) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation

    assert small(saved(cornered(), "JPEG", exif=exif)).size == (320, 192)


def test_torn_exif_is_no_reason_to_show_nothing() -> None:
    data = saved(cornered(), "JPEG", exif=b"Exif\0\0MM\0*\xff\xff\xff\xff" + bytes(20))

    # Pillow warns, and the tests make an error of every warning.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")

        assert small(data).size == (320, 192)


@pytest.mark.parametrize(
    ("mode", "kind"), [("RGBA", "PNG"), ("LA", "PNG"), ("RGBA", "WEBP"), ("RGBA", "AVIF")]
)
def test_what_is_transparent_stays_so(mode: str, kind: str) -> None:
    image = cornered("RGBA")
    image.paste((0, 0, 0, 0), (500, 0, 1000, 600))

    shrunk = small(saved(image.convert(mode), kind))

    assert shrunk.mode == "RGBA"
    assert [shrunk.getchannel("A").getpixel((x, 100)) for x in (40, 280)] == [255, 0]


@pytest.mark.parametrize("kind", ["PNG", "GIF"])
def test_a_colour_that_stands_for_transparent_is(kind: str) -> None:
    image = cornered().quantize(4)
    blue = image.getpixel((900, 500))

    shrunk = small(saved(image, kind, transparency=blue))

    assert shrunk.mode == "RGBA"
    assert [shrunk.getchannel("A").getpixel(at) for at in ((5, 5), (300, 150))] == [255, 0]


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP"])
def test_of_an_animation_the_first_picture_is_shown(kind: str) -> None:
    others = [Image.new("RGB", (1000, 600), name) for name in ("green", "yellow")]

    image = small(saved(cornered(), kind, save_all=True, append_images=others))

    assert not getattr(image, "is_animated", False)
    assert is_red(colour(image, 0, 0))


def test_printers_colours_become_a_screens() -> None:
    assert is_red(colour(small(saved(cornered("CMYK"), "JPEG")), 0, 0))


def test_sixteen_bits_of_grey_are_not_washed_out() -> None:
    dark = Image.frombytes("I;16", (400, 300), struct.pack("<H", 0x2000) * 120_000)

    assert colour(small(saved(dark, "PNG")), 0.5, 0.5)[0] in range(28, 37)


def test_colours_are_converted_as_their_profile_means_them() -> None:
    lab_like = ImageCms.ImageCmsProfile(ImageCms.createProfile("XYZ"))
    data = saved(cornered(), "PNG", icc_profile=lab_like.tobytes())

    assert small(data).size == (320, 192)


@pytest.mark.parametrize("profile", [b"", b"no profile", bytes(128), b"\xff" * 500])
def test_a_broken_profile_is_left_out(profile: bytes) -> None:
    image = small(saved(cornered(), "JPEG", icc_profile=profile))

    assert is_red(colour(image, 0, 0))


def test_a_very_high_picture_stays_one_that_can_be_kept() -> None:
    assert small(saved(Image.new("L", (100, 17_000)), "PNG")).size == (4, 640)
    assert small(saved(Image.new("L", (17_000, 1)), "PNG")).size == (320, 1)


@pytest.mark.parametrize("kind", ["BMP", "TIFF", "ICO", "PDF", "PPM", "EPS"])
def test_other_kinds_are_refused(kind: str) -> None:
    with pytest.raises(Unscalable):
        scale(saved(cornered(), kind), 320)


@pytest.mark.parametrize("data", [b"", b"<html>", b"<svg xmlns='http://www.w3.org/2000/svg'/>"])
def test_what_is_no_picture_is_refused(data: bytes) -> None:
    with pytest.raises(Unscalable):
        scale(data, 320)


def test_a_thousand_scans_are_refused() -> None:
    with pytest.raises(Unscalable, match="scans"):
        scale(in_scans(1000, side=64), 320)


def head_only(width: int, height: int, colours: int) -> bytes:
    """A PNG that ends where its pixels should begin."""
    head = struct.pack(">IIBBBBB", width, height, 8, colours, 0, 0, 0)
    return b"".join(
        [b"\x89PNG\r\n\x1a\n", chunk(b"IHDR", head), chunk(b"IDAT", zlib.compress(b"")),
         chunk(b"IEND", b"")]
    )  # fmt: skip


def test_what_would_take_too_much_memory_is_refused_by_its_head() -> None:
    for data in (
        head_only(5_300, 5_300, 2),
        head_only(3_800, 3_800, 6),
        png(8_001, 8_001, rows=b""),
    ):
        with pytest.raises(Unscalable, match="memory"):
            scale(data, 320)


def test_a_large_jpeg_is_decoded_to_a_fraction() -> None:
    assert small(saved(Image.new("RGB", (8_000, 6_000)), "JPEG"), 2048).size == (2048, 1536)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "AVIF"])
def test_mutated_pictures_are_either_shown_or_refused(kind: str) -> None:
    random = Random(17)
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    options = {} if kind == "GIF" else {"exif": exif}
    whole = saved(cornered().resize((40, 30)), kind, **options)
    for _ in range(300):
        data = bytearray(whole)
        for _ in range(random.randint(1, 12)):
            data[random.randrange(min(len(data), 400))] = random.randrange(256)
        try:
            assert scale(bytes(data), 320)
        except Unscalable:
            continue
