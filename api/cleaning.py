"""A file that a shop uploads becomes a plain picture: whole, upright, in sRGB, and silent.

Its pixels are encoded anew, so nothing of the file but its pixels is kept: no place where it was
taken, no camera, no name, no second picture behind the first.
"""

import io
from dataclasses import dataclass
from typing import Any

from PIL import Image, JpegImagePlugin

from api.orientation import orientation, upright
from api.scaling import in_srgb, mixable
from tasks.image_check import BROKEN, has_many_scans

# Decoded, a pixel takes 4 bytes, and as much again while it is turned; WebP's decoder holds 13
# more. One picture is cleaned at a time, in each process: up to half a gigabyte.
MOST_PIXELS = {"JPEG": 50 * 10**6, "MPO": 50 * 10**6, "PNG": 50 * 10**6, "WEBP": 25 * 10**6}
# What an encoder takes to be quick and still lose next to nothing.
_PNG: dict[str, Any] = {"compress_level": 2}
_WEBP: dict[str, Any] = {"quality": 95, "method": 2}
_JPEG: dict[str, Any] = {"quality": 95}

NO_PICTURE = "This is not a JPEG, PNG or WebP picture."
BROKEN_PICTURE = "This picture is not whole: it may have been cut short."
ANIMATION = "This is an animation: upload a single picture."
TOO_MANY_SCANS = "This picture would take too long to be opened: save it anew in another program."


class Unusable(Exception):
    """The file cannot be used; the text is for the person who sent it."""

    @property
    def errors(self) -> dict[str, list[str]]:
        """The same by the form's field."""
        return {"file": [str(self)]}


@dataclass(frozen=True, slots=True)
class Cleaned:
    """A picture that may be shown to everybody; the extension has no dot."""

    data: bytes
    content_type: str
    extension: str
    width: int
    height: int


def clean(data: bytes) -> Cleaned:
    """Return what is in the file as a plain picture of the same kind; raise `Unusable`."""
    try:
        with _opened(data) as source:
            _check(source, data)
            return _cleaned(source)
    except BROKEN as error:
        raise Unusable(BROKEN_PICTURE) from error


def _opened(data: bytes) -> Image.Image:
    try:
        return Image.open(io.BytesIO(data), formats=("JPEG", "PNG", "WEBP"))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise Unusable(_too_large(max(MOST_PIXELS.values()))) from error
    except BROKEN as error:
        raise Unusable(NO_PICTURE) from error


def _too_large(most: int) -> str:
    return f"This picture has more than {most // 10**6} million pixels."


def _check(source: Image.Image, data: bytes) -> None:
    """What decoding costs must be known to be harmless before it begins."""
    most = MOST_PIXELS[source.format or ""]
    if source.width * source.height > most:
        raise Unusable(_too_large(most))
    if getattr(source, "is_animated", False) and source.format != "MPO":
        raise Unusable(ANIMATION)
    if has_many_scans(source, data):
        raise Unusable(TOO_MANY_SCANS)
    with _opened(data) as second:
        second.verify()  # PNG's checksums; after it nothing can be decoded from the same one.


def _cleaned(source: Image.Image) -> Cleaned:
    held, kind, options = orientation(source), source.format, _jpeg_options(source)
    plain = mixable(source)
    image = in_srgb(upright(plain, held))
    image.info.clear()
    if kind == "PNG":
        return _encoded(image, "PNG", "png", **_PNG)
    if kind == "WEBP":
        return _encoded(image, "WEBP", "webp", **_WEBP)
    return _encoded(image, "JPEG", "jpg", **options)


def _jpeg_options(source: Image.Image) -> dict[str, Any]:
    """As fine as it was and no finer: with its own tables, nearly nothing is lost and it does not
    grow. Those of four colours are for other colours than those that it gets."""
    if not isinstance(source, JpegImagePlugin.JpegImageFile) or source.mode not in {"L", "RGB"}:
        return _JPEG
    sampling = JpegImagePlugin.get_sampling(source)
    return {"qtables": source.quantization, "subsampling": sampling}


def _encoded(image: Image.Image, kind: str, extension: str, **options: Any) -> Cleaned:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return Cleaned(out.getvalue(), Image.MIME[kind], extension, image.width, image.height)
