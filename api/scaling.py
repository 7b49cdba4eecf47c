"""Scaling pictures down to WebP, in bounded memory, and without what cameras write into them.

What a picture costs is known from its head, before anything is decoded.
"""

import io

import PIL.AvifImagePlugin  # noqa: F401  As `tasks.image_check` does for WebP.
from PIL import Image, ImageCms

from api.decoding import MIXABLE, fraction
from api.orientation import LYING, orientation, upright
from tasks.image_check import BROKEN, has_many_scans

WIDTHS = (320, 640, 1280, 2048)
# A picture may be so many times as high as it is wide; a higher one is scaled by its height. The
# model's highest is 9:16, and WebP ends at 16383 pixels.
HIGHEST = 2
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "AVIF")
QUALITY = 80
# Of 0 to 6, from fast to small.
EFFORT = 2

_SRGB = ImageCms.createProfile("sRGB")


class Unscalable(Exception):
    """It is no picture of the known kinds, not whole, or too large to be decoded here."""


def scale(data: bytes, width: int) -> bytes:
    """Return the picture as WebP, at most so many pixels wide; raise `Unscalable`."""
    try:
        return _encoded(_scaled(data, width))
    except (*BROKEN, RuntimeError) as error:
        # The last one comes from AVIF's decoder.
        raise Unscalable(type(error).__name__) from error


def _scaled(data: bytes, width: int) -> Image.Image:
    """Turn it only once it is small: a turned copy of a large picture takes as much again."""
    with Image.open(io.BytesIO(data), formats=FORMATS) as source:
        if has_many_scans(source, data):
            raise Unscalable("it comes in too many scans")
        held = orientation(source)
        small = _shrunk(source, _fitting(source.size, width, lying=held in LYING))
    return in_srgb(upright(small, held))


def _fitting(size: tuple[int, int], width: int, *, lying: bool) -> tuple[int, int]:
    box = (HIGHEST * width, width) if lying else (width, HIGHEST * width)
    ratio = max(1.0, size[0] / box[0], size[1] / box[1])
    return max(1, round(size[0] / ratio)), max(1, round(size[1] / ratio))


def _shrunk(source: Image.Image, size: tuple[int, int]) -> Image.Image:
    """First roughly, by whole numbers: a JPEG as it is decoded, others by the mean of pixels."""
    divisor = fraction(source, size)
    if divisor is None:
        raise Unscalable("it would take too much memory")
    source.draft(None, (source.width // divisor, source.height // divisor))
    plain = mixable(source)
    size = min(size[0], plain.width), min(size[1], plain.height)
    factor = min(plain.width // size[0], plain.height // size[1]) // 2
    rough = plain.reduce(factor) if factor > 1 else plain
    return rough.resize(size, Image.Resampling.BICUBIC)


def mixable(source: Image.Image) -> Image.Image:
    """Colours that can be mixed: not those of a palette, nor one that stands for transparent."""
    source.load()
    if source.mode in MIXABLE and "transparency" not in source.info:
        return source
    if source.mode == "I;16":
        # Converted at once, everything above 255 would be white.
        return source.point(lambda value: value / 256).convert("L")
    return source.convert("RGBA" if source.has_transparency_data else "RGB")


def in_srgb(image: Image.Image) -> Image.Image:
    """Colours as the picture's own profile means them; without a good one, as they are.

    The picture itself is changed where it can be: a copy of a large one takes as much again.
    """
    mode = "RGBA" if image.mode in {"LA", "RGBA"} else "RGB"
    profile = image.info.get("icc_profile")
    if not profile or image.mode == "LA":
        return _in_mode(image, mode)
    try:
        read = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        itself = image.mode == mode
        converted = ImageCms.profileToProfile(image, read, _SRGB, outputMode=mode, inPlace=itself)
    except (ImageCms.PyCMSError, *BROKEN):
        return _in_mode(image, mode)
    return converted or _in_mode(image, mode)


def _in_mode(image: Image.Image, mode: str) -> Image.Image:
    return image if image.mode == mode else image.convert(mode)


def _encoded(image: Image.Image) -> bytes:
    """What the picture knows besides its pixels stays behind: places, cameras, comments."""
    image.info.clear()
    out = io.BytesIO()
    image.save(out, "WEBP", quality=QUALITY, method=EFFORT)
    return out.getvalue()
