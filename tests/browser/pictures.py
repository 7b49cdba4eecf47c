"""Pictures of any shape, for the pages to show."""

import io

from PIL import Image

PORTRAIT, LANDSCAPE, WIDE, SMALL = (900, 1600), (1600, 900), (3000, 200), (24, 18)


def picture_of(size: tuple[int, int]) -> bytes:
    """A PNG of that size, in which left and right, top and bottom can be told apart."""
    sides = Image.linear_gradient("L").rotate(90).resize(size), Image.linear_gradient("L").resize(size)
    picture = Image.merge("RGB", (*sides, Image.new("L", size, 120)))
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()
