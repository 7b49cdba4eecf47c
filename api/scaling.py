"""Scaling pictures down to WebP, in bounded memory, and without what cameras write into them.

What a picture costs is known from its head, before anything is decoded.
"""

import io

from PIL import ExifTags, Image, ImageCms

from api.decoding import MOST_BYTES, MOST_PIXELS, bytes_to_decode
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
_TURNS = {
    2: (Image.Transpose.FLIP_LEFT_RIGHT,),
    3: (Image.Transpose.ROTATE_180,),
    4: (Image.Transpose.FLIP_TOP_BOTTOM,),
    5: (Image.Transpose.TRANSPOSE,),
    6: (Image.Transpose.ROTATE_270,),
    7: (Image.Transpose.TRANSVERSE,),
    8: (Image.Transpose.ROTATE_90,),
}
_LYING = {5, 6, 7, 8}


class Unscalable(Exception):
    """It is no picture of the known kinds, not whole, or too large to be decoded here."""


def scale(data: bytes, width: int) -> bytes:
    """Return the picture as WebP, at most so many pixels wide; raise `Unscalable`."""
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as source:
            if has_many_scans(source, data):
                raise Unscalable("it comes in too many scans")
            small = _scaled(source, width)
        return _encoded(small)
    except BROKEN as error:
        raise Unscalable(type(error).__name__) from error


def _scaled(source: Image.Image, width: int) -> Image.Image:
    """Turn it only once it is small: a turned copy of a large picture takes as much again."""
    turn = _orientation(source)
    size = _fitting(source.size, width, lying=turn in _LYING)
    small = _in_srgb(_shrunk(source, size))
    for step in _TURNS.get(turn, ()):
        small = small.transpose(step)
    return small


def _fitting(size: tuple[int, int], width: int, *, lying: bool) -> tuple[int, int]:
    box = (HIGHEST * width, width) if lying else (width, HIGHEST * width)
    ratio = max(1.0, size[0] / box[0], size[1] / box[1])
    return max(1, round(size[0] / ratio)), max(1, round(size[1] / ratio))


def _shrunk(source: Image.Image, size: tuple[int, int]) -> Image.Image:
    """A JPEG is decoded to a fraction of its size at once."""
    pixels = source.width * source.height
    source.draft(None, (2 * size[0], 2 * size[1]))
    if pixels > MOST_PIXELS or bytes_to_decode(source, pixels) > MOST_BYTES:
        raise Unscalable("it would take too much memory")
    plain = _plain(source)
    factor = min(plain.width // size[0], plain.height // size[1]) // 2
    rough = plain.reduce(factor) if factor > 1 else plain
    return rough.resize(size, Image.Resampling.BICUBIC) if rough.size != size else rough


def _plain(source: Image.Image) -> Image.Image:
    """Colours that can be mixed: not those of a palette, nor one that stands for transparent."""
    source.load()
    if source.has_transparency_data:
        return source.convert("RGBA")
    if source.mode == "I;16":
        # Converted at once, everything above 255 would be white.
        return source.point(lambda value: value / 256).convert("L")
    return source if source.mode in {"L", "RGB", "CMYK"} else source.convert("RGB")


def _in_srgb(image: Image.Image) -> Image.Image:
    """Colours as the picture's own profile means them, and without one as they are."""
    mode = "RGBA" if image.mode == "RGBA" else "RGB"
    profile = image.info.get("icc_profile")
    if profile:
        try:
            read = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            converted = ImageCms.profileToProfile(image, read, _SRGB, outputMode=mode)
        except (ImageCms.PyCMSError, *BROKEN):
            return image.convert(mode)
        return converted or image
    return image.convert(mode)


def _orientation(source: Image.Image) -> int:
    """How the camera was held, 1 to 8; a torn note about it is no reason to show nothing."""
    try:
        return int(source.getexif().get(ExifTags.Base.Orientation, 1))
    except BROKEN:
        return 1


def _encoded(image: Image.Image) -> bytes:
    """What the picture knows besides its pixels stays behind: places, cameras, comments."""
    bare = Image.new(image.mode, (0, 0))
    del bare
    image.info.clear()
    out = io.BytesIO()
    image.save(out, "WEBP", quality=QUALITY, method=EFFORT)
    return out.getvalue()
