"""The shape and size of a result, the references on it, and the ribbon that says what made it."""

from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont, ImageOps

from sandbox.replicate.models import MATCH, NARROW, RATIOS, SIDES

LABEL = "Darkroom sandbox: not the real model"
RIBBON = (28, 30, 36, 205)  # red, green, blue, opacity
INK = (255, 255, 255, 235)


def framed(picture: Image.Image, aspect_ratio: str) -> Image.Image:
    """Cut the middle of the picture to a ratio like "4:5"; ValueError when there is no such one."""
    if aspect_ratio == MATCH:
        return picture
    if aspect_ratio not in {*RATIOS, *NARROW}:
        raise ValueError(f"aspect_ratio must be one of {', '.join((*RATIOS, *NARROW))}")
    return ImageOps.fit(picture, _largest_within(picture.size, aspect_ratio))


def _largest_within(size: tuple[int, int], aspect_ratio: str) -> tuple[int, int]:
    across, down = map(int, aspect_ratio.split(":"))
    unit = min(size[0] / across, size[1] / down)
    return max(1, round(across * unit)), max(1, round(down * unit))


def sized(picture: Image.Image, resolution: str | None) -> Image.Image:
    """Scale the picture to as many pixels as a square of this resolution has; None leaves it."""
    if resolution is None:
        return picture
    factor = SIDES[resolution] / (picture.width * picture.height) ** 0.5
    size = max(1, round(picture.width * factor)), max(1, round(picture.height * factor))
    return picture.resize(size, Image.Resampling.BICUBIC)


def with_references(picture: Image.Image, references: Sequence[Image.Image]) -> Image.Image:
    """Show in the upper left corner what else the model was given: small, side by side."""
    side = min(picture.size) // 6
    if side < 1:
        return picture
    result = picture.copy()
    for place, reference in enumerate(references):
        corner = (side // 6 + place * (side + side // 6), side // 6)
        result.paste(ImageOps.fit(reference, (side, side)), corner)
    return result


def labelled(picture: Image.Image) -> Image.Image:
    """Put the ribbon into the lower right corner, small enough to leave the product alone."""
    ribbon = _ribbon(picture.size)
    margin = max(0, min(picture.size) // 50)
    corner = (picture.width - ribbon.width - margin, picture.height - ribbon.height - margin)
    result = picture.copy()
    result.paste(ribbon, corner, ribbon)
    return result


def _ribbon(size: tuple[int, int]) -> Image.Image:
    """The ribbon in proportion to the picture, and never wider than it.

    It is drawn three times as large and reduced, because small letters drawn directly sit unevenly.
    """
    height = max(15, min(size) // 22)
    large = _drawn_ribbon(height * 3)
    width = min(size[0], large.width // 3)
    return large.resize((width, max(1, large.height * width // large.width)))


def _drawn_ribbon(height: int) -> Image.Image:
    font = ImageFont.load_default(height * 0.6)
    left, top, right, bottom = font.getbbox(LABEL)
    pad = (height - (bottom - top)) / 2
    box = (round(right - left + 2.4 * pad), height)
    ribbon = Image.new("RGBA", box, (0, 0, 0, 0))
    draw = ImageDraw.Draw(ribbon)
    draw.rounded_rectangle((0, 0, box[0] - 1, height - 1), radius=height * 0.2, fill=RIBBON)
    draw.text((1.2 * pad - left, pad - top), LABEL, font=font, fill=INK)
    return ribbon
