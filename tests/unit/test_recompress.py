"""A stored result at the quality that its shop wants."""

import io

import pytest
from PIL import Image, ImageCms

from tasks.image_check import ImageKind, check_image
from tasks.provider_errors import ResultUnusable
from tasks.recompress import recompress

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def saved(image: Image.Image, kind: str, **options: object) -> tuple[bytes, ImageKind]:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue(), check_image(out.getvalue())


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def test_a_lower_quality_is_a_smaller_file_of_the_same_picture() -> None:
    noise = Image.effect_noise((300, 200), 60).convert("RGB")
    data, kind = saved(noise, "JPEG", quality=95, icc_profile=SRGB, comment=b"made by a model")

    good, small = recompress(data, kind, 80), recompress(data, kind, 30)

    assert len(data) > len(good[0]) > len(small[0])
    assert small[1] == check_image(small[0]) == ImageKind("image/jpeg", "jpg", 300, 200)
    assert opened(small[0]).info["icc_profile"] == SRGB
    assert b"made by a model" not in small[0]
    assert recompress(data, kind, 30) == small


def test_a_quality_above_the_models_own_changes_nothing() -> None:
    data, kind = saved(Image.effect_noise((64, 64), 60).convert("RGB"), "JPEG", quality=40)

    assert recompress(data, kind, 100) == (data, kind)


def test_a_picture_that_lies_on_its_side_is_turned_for_good() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    data, kind = saved(Image.new("RGB", (40, 20), "teal"), "JPEG", quality=100, exif=exif)

    made, turned = recompress(data, kind, 50)

    assert (turned.width, turned.height) == opened(made).size == (20, 40)
    assert not opened(made).getexif()


@pytest.mark.parametrize(
    ("mode", "colour", "shown"),
    [
        ("RGBA", (0, 0, 255, 0), 255),
        ("LA", (90, 255), 90),
        ("P", 1, 0),
        ("I;16", 90 * 256, 90),
    ],
)
def test_a_model_that_sent_another_file_is_kept_as_a_jpeg_all_the_same(
    mode: str, colour: object, shown: int
) -> None:
    data, kind = saved(Image.new(mode, (16, 16), colour), "PNG")  # type: ignore[arg-type]

    made, now = recompress(data, kind, 90)

    assert now == check_image(made) == ImageKind("image/jpeg", "jpg", 16, 16)
    pixel = opened(made).convert("L").tobytes()[0]
    assert abs(pixel - shown) < 3


def test_what_no_jpeg_can_hold_is_not_usable() -> None:
    data, kind = saved(Image.new("L", (66_000, 1)), "PNG")

    with pytest.raises(ResultUnusable):
        recompress(data, kind, 80)
