"""The stored result at the quality that its shop wants: a JPEG, compressed once more.

What comes in was checked to be a whole image of a bounded size (`tasks.image_check`): at most 40
million pixels, so it is decoded and encoded in about half a second of a core.
"""

import io
import struct
from contextlib import suppress

from PIL import Image, ImageOps

from tasks.image_check import BROKEN, ImageKind
from tasks.provider_errors import ResultUnusable

JPEG = "image/jpeg"


def recompress(data: bytes, kind: ImageKind, quality: int) -> tuple[bytes, ImageKind]:
    """Return the image as a JPEG of that quality (1 to 100), and what it is then.

    A JPEG that would only grow stays as it is: a quality above the model's own adds nothing. Raises
    `ResultUnusable` where there can be no such JPEG, as of a picture more than 65,500 pixels long.
    """
    try:
        smaller, size = _encoded(data, quality)
    except BROKEN as error:
        raise ResultUnusable(f"not to be recompressed: {type(error).__name__}") from error
    if kind.content_type == JPEG and len(smaller) >= len(data):
        return data, kind
    return smaller, ImageKind(JPEG, "jpg", *size)


def _encoded(data: bytes, quality: int) -> tuple[bytes, tuple[int, int]]:
    """The same bytes every time: two followers of a prediction store the same."""
    out = io.BytesIO()
    with Image.open(io.BytesIO(data), formats=("JPEG", "PNG", "WEBP")) as source:
        # What says how to turn it is not written again; a torn note of that is no reason to fail.
        with suppress(*BROKEN, TypeError, struct.error):
            ImageOps.exif_transpose(source, in_place=True)
        picture = _plain(source)
        profile = source.info.get("icc_profile") if picture is source else None
        picture.save(out, "JPEG", quality=quality, icc_profile=profile, comment=b"")
    return out.getvalue(), picture.size


def _plain(picture: Image.Image) -> Image.Image:
    """Colours that a JPEG holds and every browser shows; what is transparent becomes white."""
    picture.load()
    if picture.has_transparency_data:
        shown = picture.convert("RGBA")
        white = Image.new("RGB", shown.size, "white")
        white.paste(shown, mask=shown)
        return white
    if picture.mode == "I;16":
        # Converted at once, everything above 255 would be white.
        return picture.point(lambda value: value / 256).convert("L")
    return picture if picture.mode in {"L", "RGB"} else picture.convert("RGB")
