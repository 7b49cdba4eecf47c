"""The views of a demo product, all made of its one photograph."""

from collections.abc import Callable

from PIL import Image, ImageEnhance, ImageOps

View = Callable[[Image.Image], Image.Image]


def front(photograph: Image.Image) -> Image.Image:
    """The photograph as it is."""
    return photograph


def detail(photograph: Image.Image) -> Image.Image:
    """The middle of the photograph, brought nearer."""
    width, height = photograph.size
    box = (width * 0.22, height * 0.18, width * 0.78, height * 0.74)
    return photograph.resize(photograph.size, Image.Resampling.LANCZOS, box=box)


def mirrored(photograph: Image.Image) -> Image.Image:
    """The photograph from right to left."""
    return ImageOps.mirror(photograph)


def dim(photograph: Image.Image) -> Image.Image:
    """Taken with too little light, pale and bluish: a picture that needs optimizing."""
    pale = ImageEnhance.Color(ImageEnhance.Brightness(photograph).enhance(0.6)).enhance(0.75)
    return Image.blend(pale, Image.new("RGB", pale.size, (52, 60, 78)), 0.15)


def wide(photograph: Image.Image) -> Image.Image:
    """A banner of 16:9 cut from the photograph's middle."""
    width = photograph.width
    return ImageOps.fit(photograph, (width, width * 9 // 16), Image.Resampling.LANCZOS)


VIEWS: dict[str, View] = {
    "front": front,
    "detail": detail,
    "mirrored": mirrored,
    "dim": dim,
    "wide": wide,
}
