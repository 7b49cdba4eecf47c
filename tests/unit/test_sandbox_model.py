"""The stand-in's model: its words do what they say, and its results can be told from its inputs."""

import functools
import io
import struct
import zlib
from pathlib import Path

import pytest
from PIL import Image, ImageChops, ImageStat

from sandbox.replicate.model import MAX_PIXELS, Wish, optimize
from sandbox.replicate.models import NARROW, RATIOS
from sandbox.shop import PHOTOGRAPHS, first_job, picture

PHOTOS = sorted(PHOTOGRAPHS.glob("*.jpg"))
PLAIN = "Make it look its best"
VISIBLE = 4.0  # of 255, on average over all pixels
WORDS = (
    "brighter",
    "a darker mood",
    "warmer light",
    "cooler light",
    "on a white studio background",
    "blur the background",
    "vivid colours",
    "more contrast",
    "sharper",
    "a little softer",
    "vintage",
    "in black & white",
)


@functools.cache
def result(photo: Path, prompt: str, ratio: str = "match_input_image") -> Image.Image:
    return opened(optimize(photo.read_bytes(), Wish(prompt, ratio, "png")))


def opened(file: bytes) -> Image.Image:
    return Image.open(io.BytesIO(file)).convert("RGB")


def means(image: Image.Image) -> list[float]:
    """The mean of each channel, over what the ribbon leaves free."""
    return ImageStat.Stat(image.crop((0, 0, image.width, image.height * 9 // 10))).mean


def saved(image: Image.Image, kind: str) -> bytes:
    file = io.BytesIO()
    image.save(file, kind)
    return file.getvalue()


@pytest.mark.parametrize("photo", PHOTOS, ids=lambda photo: photo.stem)
def test_every_photograph_comes_back_visibly_different(photo: Path) -> None:
    before = opened(photo.read_bytes())

    after = result(photo, PLAIN)

    assert after.size == before.size
    assert sum(means(ImageChops.difference(before, after))) / 3 > VISIBLE


def test_every_image_of_the_first_job_comes_back_visibly_different() -> None:
    for image in first_job().images:
        _, _, product, view = image.path.removesuffix(".jpg").split("/")
        before = picture(product, view)
        assert before is not None

        after = opened(optimize(before, Wish(image.prompt)))

        assert sum(means(ImageChops.difference(opened(before), after))) / 3 > VISIBLE


@pytest.mark.parametrize("photo", PHOTOS, ids=lambda photo: photo.stem)
def test_brighter_and_darker_move_the_light(photo: Path) -> None:
    plain, brighter, darker = (
        sum(means(result(photo, prompt))) for prompt in (PLAIN, "Brighter", "Darker please")
    )

    assert darker < plain - 15
    assert brighter > plain + 15


@pytest.mark.parametrize("photo", PHOTOS, ids=lambda photo: photo.stem)
def test_warmer_and_cooler_move_red_against_blue(photo: Path) -> None:
    cooler, plain, warmer = (
        red - blue
        for prompt in ("Cooler light", PLAIN, "Warmer light")
        for red, _, blue in [means(result(photo, prompt))]
    )

    assert cooler < plain - 4
    assert warmer > plain + 4


@pytest.mark.parametrize("words", ["black and white", "B&W", "in greyscale", "grayscale"])
def test_black_and_white_leaves_no_colour(words: str) -> None:
    image = result(PHOTOGRAPHS / "coffee-cup.jpg", f"Make it {words}")

    saturation = image.crop((0, 0, image.width, image.height * 9 // 10)).convert("HSV").split()[1]

    assert saturation.getextrema() == (0, 0)


@pytest.mark.parametrize("name", ["coffee-cup", "clock", "astronaut"])
def test_a_white_background_whitens_the_border_and_spares_the_middle(name: str) -> None:
    plain = result(PHOTOGRAPHS / f"{name}.jpg", PLAIN)

    white = result(PHOTOGRAPHS / f"{name}.jpg", "Put it on a clean white background")

    strip = (plain.width // 3, 0, plain.width * 2 // 3, 4)
    across, down = plain.size
    middle = (across * 9 // 20, down * 9 // 20, across * 11 // 20, down * 11 // 20)
    assert min(ImageStat.Stat(white.crop(strip)).mean) > 245
    assert white.crop(middle).tobytes() == plain.crop(middle).tobytes()


def test_every_word_does_something_of_its_own() -> None:
    photo = PHOTOGRAPHS / "cat.jpg"

    made = {result(photo, prompt).tobytes() for prompt in (PLAIN, *WORDS)}

    assert len(made) == 1 + len(WORDS)


@pytest.mark.parametrize("ratio", [*RATIOS[1:], *NARROW])
def test_a_ratio_is_cut_from_the_middle(ratio: str) -> None:
    across, down = map(int, ratio.split(":"))

    width, height = result(PHOTOGRAPHS / "rocket.jpg", PLAIN, ratio).size

    assert abs(width / height - across / down) < 0.02


@pytest.mark.parametrize(("output_format", "kind"), [("jpg", "JPEG"), ("png", "PNG")])
def test_the_format_is_the_one_asked_for(output_format: str, kind: str) -> None:
    photo = PHOTOS[0].read_bytes()

    made = optimize(photo, Wish(PLAIN, output_format=output_format))

    assert Image.open(io.BytesIO(made)).format == kind
    assert made == optimize(photo, Wish(PLAIN, output_format=output_format))


@pytest.mark.parametrize("size", [(1, 1), (2, 300), (7, 5), (300, 1)])
@pytest.mark.parametrize("ratio", ["match_input_image", "21:9", "9:16"])
def test_even_a_tiny_picture_comes_back(size: tuple[int, int], ratio: str) -> None:
    file = saved(Image.new("RGB", size, "teal"), "PNG")

    made = optimize(file, Wish(", ".join(WORDS), ratio, "png"))

    assert min(opened(made).size) >= 1


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "I;16", "CMYK"])
def test_every_kind_of_picture_can_be_read(mode: str) -> None:
    kind = "JPEG" if mode == "CMYK" else "PNG"

    made = optimize(saved(Image.new(mode, (60, 40)), kind), Wish(PLAIN, "1:1"))

    assert opened(made).size == (40, 40)


def test_a_large_photograph_is_reduced() -> None:
    large = saved(Image.new("RGB", (5000, 2500), "teal"), "JPEG")

    assert opened(optimize(large, Wish(PLAIN))).size == (2048, 1024)


@pytest.mark.parametrize(("resolution", "side"), [("1K", 1024), ("2K", 2048)])
def test_a_resolution_says_how_many_pixels_the_result_has(resolution: str, side: int) -> None:
    photo = saved(Image.new("RGB", (300, 150), "teal"), "JPEG")

    wide = opened(optimize(photo, Wish(PLAIN, resolution=resolution)))
    square = opened(optimize(photo, Wish(PLAIN, "1:1", resolution=resolution)))

    assert square.size == (side, side)
    assert abs(wide.width * wide.height / side**2 - 1) < 0.01
    assert abs(wide.width / wide.height - 2) < 0.01


def test_references_are_to_be_seen_on_the_result() -> None:
    photo = saved(Image.new("RGB", (600, 600), "teal"), "PNG")
    red, blue = (saved(Image.new("RGB", (50, 90), name), "PNG") for name in ("red", "blue"))

    made = opened(optimize(photo, Wish(PLAIN, output_format="png"), [red, blue]))

    assert (made.getpixel((60, 60)), made.getpixel((180, 60))) == ((255, 0, 0), (0, 0, 255))
    assert made.getpixel((300, 60)) != (0, 0, 255)


def cut_short(kind: str) -> bytes:
    file = saved(Image.effect_noise((80, 80), 60), kind)
    return file[: len(file) // 2]


@pytest.mark.parametrize(
    "file",
    [b"", b"<html>not found</html>", b"\xff\xd8\xff\xe0", *map(cut_short, ("PNG", "JPEG", "WEBP"))],
)
def test_what_is_no_image_is_refused(file: bytes) -> None:
    with pytest.raises(ValueError, match="not an image"):
        optimize(file, Wish(PLAIN))


def header(width: int, height: int) -> bytes:
    """A PNG's beginning: enough to tell the size, and no pixels."""
    chunk = b"IHDR" + struct.pack(">2I5B", width, height, 8, 2, 0, 0, 0)
    check = struct.pack(">I", zlib.crc32(chunk))
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + check + b"\0\0\0\0IDAT" + bytes(4)


@pytest.mark.parametrize("width", [MAX_PIXELS // 1000 + 1, 100_000, 1_000_000])
def test_an_image_with_too_many_pixels_is_refused_by_its_header(width: int) -> None:
    with pytest.raises(ValueError, match="pixels"):
        optimize(header(width, 1000), Wish(PLAIN))


@pytest.mark.parametrize(("ratio", "output_format"), [("5:3", "jpg"), ("1:1", "gif")])
def test_a_ratio_or_format_that_the_model_does_not_know_is_refused(
    ratio: str, output_format: str
) -> None:
    with pytest.raises(ValueError, match="must be one of"):
        optimize(PHOTOS[0].read_bytes(), Wish(PLAIN, ratio, output_format))
