"""The views of a demo product, all made of its one photograph, and the tones it may come in."""

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


def square(photograph: Image.Image) -> Image.Image:
    """A square cut from the photograph's middle, as marketplaces want it."""
    side = min(photograph.size)
    return ImageOps.fit(photograph, (side, side), Image.Resampling.LANCZOS)


def warm(photograph: Image.Image) -> Image.Image:
    """Taken by a lamp in the evening: brighter and yellow."""
    bright = ImageEnhance.Brightness(photograph).enhance(1.18)
    return Image.blend(bright, Image.new("RGB", bright.size, (255, 176, 84)), 0.18)


VIEWS: dict[str, View] = {
    "front": front,
    "detail": detail,
    "mirrored": mirrored,
    "dim": dim,
    "wide": wide,
    "square": square,
    "warm": warm,
}

# What follows the product's name where somebody cannot see the picture.
SAID: dict[str, str] = {
    "front": "",
    "detail": ", close up",
    "mirrored": ", seen from the other side",
    "dim": ", in dim light",
    "wide": ", as a banner",
    "square": ", as a square",
    "warm": ", in lamplight",
}


def mono(photograph: Image.Image) -> Image.Image:
    """Black and white."""
    return ImageEnhance.Contrast(ImageOps.grayscale(photograph).convert("RGB")).enhance(1.15)


def emerald(photograph: Image.Image) -> Image.Image:
    """What is red becomes green."""
    red, green, blue = photograph.split()
    return ImageEnhance.Color(Image.merge("RGB", (green, red, blue))).enhance(0.55)


def tinted(dark: str, middle: str, light: str) -> View:
    """Return a tone that goes from one colour through another to a third."""

    def tone(photograph: Image.Image) -> Image.Image:
        grey = ImageOps.grayscale(photograph)
        return ImageOps.colorize(grey, dark, light, middle)

    return tone


TONES: dict[str, View] = {
    "mono": mono,
    "emerald": emerald,
    "warm": warm,
    "brass": tinted("#2a1c04", "#b58a36", "#fff3c9"),
    "midnight": tinted("#040a1c", "#2b4a86", "#e8f0ff"),
    "sunrise": tinted("#1f1033", "#c2573f", "#ffe9b0"),
}
