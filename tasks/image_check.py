"""Is it really an image, whole, of a kind that browsers show, and small enough to be decoded?"""

import io
from dataclasses import dataclass

# Pillow knows JPEG and PNG by itself; for a WebP it would import its drivers of all 45 kinds.
import PIL.WebPImagePlugin  # noqa: F401
from PIL import Image

from tasks.provider_errors import ResultUnusable

MAX_PIXELS = 40_000_000  # Decoded, that is 160 MB; the model's own results have 1 to 16 million.
# A progressive JPEG comes in about ten scans, each over all of its pixels. A thousand of them fit
# into 50 kB and take 5 s for a picture of 4 million pixels.
MOST_SCANS = 100
_START_OF_SCAN = b"\xff\xda"

# A JPEG with a second picture inside (many phones make them) is an MPO to Pillow.
_KINDS = {
    "JPEG": ("image/jpeg", "jpg"),
    "MPO": ("image/jpeg", "jpg"),
    "PNG": ("image/png", "png"),
    "WEBP": ("image/webp", "webp"),
}

# What Pillow raises on broken files, found by feeding it a million mutated ones. Its warnings (a
# huge picture, torn EXIF) are raised only where a process makes errors of them, as the tests do.
BROKEN = (
    OSError,
    SyntaxError,
    ValueError,
    Warning,
    Image.DecompressionBombError,
)


@dataclass(frozen=True, slots=True)
class ImageKind:
    """What an image is; the extension has no dot, width and height are pixels."""

    content_type: str
    extension: str
    width: int
    height: int


def check_image(data: bytes, max_pixels: int = MAX_PIXELS) -> ImageKind:
    """Return what the image is; raise `ResultUnusable` unless all of it can be decoded."""
    try:
        kind = _look(data, max_pixels)
        _decode(data)
    except BROKEN as error:
        raise ResultUnusable(f"not a whole image: {type(error).__name__}") from error
    return kind


def _look(data: bytes, max_pixels: int) -> ImageKind:
    """Read the head only: the size must be known to be harmless before anything is decoded."""
    with _open(data) as image:
        width, height = image.size
        if width * height > max_pixels:
            raise ResultUnusable(f"the image has more than {max_pixels} pixels")
        content_type, extension = _KINDS[image.format or ""]
        _check_layers(image, data)
        image.verify()
    return ImageKind(content_type, extension, width, height)


def _check_layers(image: Image.Image, data: bytes) -> None:
    """Only the first picture of an animation is looked at here; a browser would decode them all."""
    if getattr(image, "is_animated", False) and image.format != "MPO":
        raise ResultUnusable("the image is an animation")
    if has_many_scans(image, data):
        raise ResultUnusable(f"the image comes in more than {MOST_SCANS} scans")


def has_many_scans(image: Image.Image, data: bytes) -> bool:
    """Tell whether decoding would cost far more than the picture's size lets expect."""
    return image.format in {"JPEG", "MPO"} and data.count(_START_OF_SCAN) > MOST_SCANS


def _decode(data: bytes) -> None:
    """Checksums are right in a PNG that lacks its end, so every pixel has to be decoded as well."""
    with _open(data) as image:
        image.load()


def _open(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data), formats=("JPEG", "PNG", "WEBP"))
