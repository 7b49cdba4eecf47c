"""How the camera was held when a picture was taken, and turning the picture upright."""

from PIL import ExifTags, Image

from tasks.image_check import BROKEN

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
LYING = {5, 6, 7, 8}


def orientation(source: Image.Image) -> int:
    """Return 1 to 8 as EXIF has it; a torn note about it is no reason to show nothing."""
    try:
        return int(source.getexif().get(ExifTags.Base.Orientation, 1))
    except BROKEN:
        return 1


def upright(image: Image.Image, held: int) -> Image.Image:
    """Return the picture turned as its camera was held; the same object where it was upright."""
    turn = _TURNS.get(held)
    return image if turn is None else image.transpose(turn)
