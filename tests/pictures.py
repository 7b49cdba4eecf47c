"""Files that people upload: real pictures, and what only looks like one."""

import io
from typing import Any

from PIL import Image

LYING = (320, 200)
# Held on its side: EXIF's orientation 6, which stands the picture up.
HELD_SIDEWAYS = 6
CAMERA = "Camera of a tell-tale make"
LATITUDE = (52.0, 30.0, 59.0)


def painted(size: tuple[int, int] = LYING, mode: str = "RGB") -> Image.Image:
    """A picture whose left and right, top and bottom can be told apart."""
    across = Image.linear_gradient("L").rotate(90).resize(size)
    down = Image.linear_gradient("L").resize(size)
    return Image.merge("RGB", (across, down, Image.new("L", size, 60))).convert(mode)


def file_of(picture: Image.Image, kind: str = "JPEG", **options: Any) -> bytes:
    """The picture as a file."""
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def telling() -> Image.Exif:
    """What a phone writes into a picture: how it was held, where it was, what it is."""
    exif = Image.Exif()
    exif[0x0112] = HELD_SIDEWAYS
    exif[0x010F] = CAMERA
    exif.get_ifd(0x8825).update({1: "N", 2: LATITUDE})
    return exif


def opened(data: bytes) -> Image.Image:
    """The picture that is in a file, decoded."""
    picture = Image.open(io.BytesIO(data))
    picture.load()
    return picture
