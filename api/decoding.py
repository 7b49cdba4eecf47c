"""What decoding a picture costs, told from its head: measured with Pillow 13, and rounded up."""

from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile

# One scaling then stays below 100 MB, the file and the encoder's part included.
MOST_BYTES = 80 * 10**6
# JPEGs are decoded to a fraction, which takes time all the same.
MOST_PIXELS = 64 * 10**6
# A pixel in Pillow's memory, by mode.
_BYTES = {"1": 1, "L": 1, "P": 1, "I;16": 2}


def bytes_to_decode(source: Image.Image, pixels: int) -> int:
    """Return the bytes that decoding takes at its peak.

    `source` is a JPEG with its `draft` set, or any other picture; it has `pixels` in its file.
    """
    drafted = source.width * source.height
    decoded = _BYTES.get(source.mode, 4) * drafted
    if source.format in {"JPEG", "MPO"}:
        return decoded + _coefficients(source, pixels)
    return decoded


def _coefficients(source: Image.Image, pixels: int) -> int:
    """A progressive JPEG is kept whole in memory until its last scan has come: two bytes for each
    sample of each component, and a component may have fewer samples than the picture has pixels."""
    if not isinstance(source, JpegImageFile) or not source.info.get("progressive"):
        return 0
    layers = [(across, down) for _id, across, down, _table in source.layer]
    most = max(across for across, _ in layers) * max(down for _, down in layers)
    return 2 * pixels * sum(across * down for across, down in layers) // most
