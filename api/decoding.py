"""What it costs to decode and shrink a picture, told from its head before anything is decoded.

The numbers were measured with Pillow 13 and rounded up: bytes for each pixel of the picture.
"""

from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile

# Beside the file itself. Two pictures are scaled at a time, in each process.
MOST_BYTES = 110 * 10**6
# A large JPEG is decoded to a fraction, which takes little memory, but time all the same.
MOST_PIXELS = 64 * 10**6

_DECODED = {"1": 1, "L": 1, "P": 1, "I;16": 2}
# As they are, these can be mixed; others are converted.
MIXABLE = {"L", "LA", "RGB", "RGBA", "CMYK"}
# What a decoder holds until the picture is closed, and what it needs for a moment besides.
_HELD = {"WEBP": 8, "AVIF": 5}
_PASSING = {"WEBP": 5, "AVIF": 5}


def fraction(source: Image.Image, size: tuple[int, int]) -> int | None:
    """Return 1, 2, 4 or 8: by how much to divide `source` as it is decoded, before it is shrunk to
    `size`; only JPEGs can be divided. None if its cost cannot be afforded.

    If need be, it comes out smaller than `size`.
    """
    if source.width * source.height > MOST_PIXELS:
        return None
    fractions = (1, 2, 4, 8) if isinstance(source, JpegImageFile) else (1,)
    affordable = [n for n in fractions if _cost(source, n, size) <= MOST_BYTES]
    fine = [n for n in affordable if source.width >= n * size[0] and source.height >= n * size[1]]
    return max(fine) if fine else min(affordable, default=None)


def _cost(source: Image.Image, n: int, size: tuple[int, int]) -> int:
    width, height = source.width // n, source.height // n
    kept = _DECODED.get(source.mode, 4) + _HELD.get(source.format or "", 0)
    decoding = width * height * (kept + _PASSING.get(source.format or "", 0))
    shrinking = width * height * (kept + _copies(source)) + 4 * size[0] * (height + size[1])
    return max(decoding, shrinking) + _coefficients(source)


def _copies(source: Image.Image) -> int:
    """Alpha is multiplied into the colours before they are mixed."""
    converted = 0 if source.mode in MIXABLE else 4
    return converted + (4 if source.has_transparency_data else 0)


def _coefficients(source: Image.Image) -> int:
    """A progressive JPEG is kept whole in memory until its last scan has come: two bytes for each
    sample of each component, and a component may have fewer samples than the picture has pixels."""
    if not isinstance(source, JpegImageFile) or not source.info.get("progressive"):
        return 0
    layers = [(across, down) for _id, across, down, _table in source.layer]
    most = max(across for across, _ in layers) * max(down for _, down in layers)
    samples: int = sum(across * down for across, down in layers)
    return 2 * source.width * source.height * samples // most
