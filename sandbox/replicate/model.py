"""What the stand-in runs in the place of the real model: a retouch that obeys a few words.

One and the same request always gives the same bytes, so a test can tell one result from another.
"""

import io
import struct
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageOps

from sandbox.replicate.framing import framed, labelled, sized, with_references
from sandbox.replicate.models import MATCH
from sandbox.replicate.retouches import base_retouch, retouches_for

MAX_PIXELS = 40_000_000
MAX_SIDE = 2048  # pixels; the real model makes about a megapixel, and a larger one only costs time
ENCODINGS = {"jpg": ("JPEG", {"quality": 90}), "png": ("PNG", {})}
READABLE = ("JPEG", "PNG", "WEBP", "GIF")
# What Pillow raises for bytes that are damaged, cut short or of no known kind; TypeError and
# struct.error come from its EXIF reader.
UNREADABLE = (
    OSError, SyntaxError, ValueError, EOFError, IndexError, OverflowError, TypeError, struct.error,
    Image.DecompressionBombError, Image.DecompressionBombWarning,
)  # fmt: skip


@dataclass(frozen=True)
class Wish:
    """What is to be made: `aspect_ratio` is "match_input_image" or one like "4:5", `output_format`
    "jpg" or "png", `resolution` one like "2K", or None for the size of the input."""

    prompt: str
    aspect_ratio: str = MATCH
    output_format: str = "jpg"
    resolution: str | None = None


def optimize(image: bytes, wish: Wish, references: Sequence[bytes] = ()) -> bytes:
    """Return the retouched image as a file, the `references` small on it.

    Raises ValueError, with a sentence for the caller, when the bytes are no image, when it has more
    than MAX_PIXELS, or when the ratio or the format is none that the real model knows.
    """
    if wish.output_format not in ENCODINGS:
        raise ValueError(f"output_format must be one of {', '.join(ENCODINGS)}")
    picture = base_retouch(opened(image))
    for retouch in retouches_for(wish.prompt):
        picture = retouch(picture)
    shaped = sized(framed(picture, wish.aspect_ratio), wish.resolution)
    beside = [opened(reference) for reference in references]
    return _encoded(labelled(with_references(shaped, beside)), wish.output_format)


def opened(image: bytes) -> Image.Image:
    """Decode to RGB, upright, on white where it was transparent, at most MAX_SIDE long."""
    try:
        picture = Image.open(io.BytesIO(image), formats=READABLE)
        _refuse_too_large(picture)
        picture.draft("RGB", (MAX_SIDE, MAX_SIDE))  # lets a large JPEG be decoded at less cost
        upright = ImageOps.exif_transpose(picture).convert("RGBA")
    except UNREADABLE as error:
        raise ValueError(f"The input is not an image that can be read: {error}") from error
    upright.thumbnail((MAX_SIDE, MAX_SIDE))
    on_white = Image.new("RGBA", upright.size, "white")
    return Image.alpha_composite(on_white, upright).convert("RGB")


def _refuse_too_large(picture: Image.Image) -> None:
    """Check the size that the file's header tells, before any pixel is decoded."""
    if picture.width * picture.height > MAX_PIXELS:
        raise ValueError(f"it has {picture.width} x {picture.height} pixels, too many")


def _encoded(picture: Image.Image, output_format: str) -> bytes:
    kind, options = ENCODINGS[output_format]
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()
