"""The words of a prompt that the stand-in understands, and what each of them does."""

import re
from collections.abc import Callable

from PIL import Image, ImageChops, ImageEnhance, ImageFilter, ImageOps

from sandbox.replicate.backdrop import blurred_backdrop, white_backdrop

Retouch = Callable[[Image.Image], Image.Image]


def base_retouch(picture: Image.Image) -> Image.Image:
    """What every picture gets, whatever the prompt: fuller tones, a little colour and sharpness.

    The gentle lift of the middle tones shows even on a picture that has full contrast already.
    """
    full = ImageOps.autocontrast(picture, cutoff=(0.4, 0.4), preserve_tone=True)
    toned = _gamma(Image.blend(picture, full, 0.75), 0.88)
    coloured = ImageEnhance.Color(toned).enhance(1.06)
    return coloured.filter(ImageFilter.UnsharpMask(radius=2, percent=60, threshold=3))


def retouches_for(prompt: str) -> list[Retouch]:
    """The retouches whose words are in the prompt, each once, in the order of the table."""
    return [retouch for words, retouch in TABLE if words.search(prompt)]


def brighter(picture: Image.Image) -> Image.Image:
    """Lift the middle tones and leave black and white where they are."""
    return _gamma(picture, 0.72)


def darker(picture: Image.Image) -> Image.Image:
    """Lower the middle tones and leave black and white where they are."""
    return _gamma(picture, 1.5)


def warmer(picture: Image.Image) -> Image.Image:
    """Move the light towards a low sun."""
    return _channels(picture, 1.04, 1.0, 0.86)


def cooler(picture: Image.Image) -> Image.Image:
    """Move the light towards an overcast sky."""
    return _channels(picture, 0.90, 1.0, 1.08)


def vivid(picture: Image.Image) -> Image.Image:
    """Deepen the colours."""
    return ImageEnhance.Color(picture).enhance(1.4)


def contrasted(picture: Image.Image) -> Image.Image:
    """Bend the tones to an S; a straight stretch would clip the ends."""
    curve = [255 * (3 * (v / 255) ** 2 - 2 * (v / 255) ** 3) for v in range(256)]
    bent = picture.point([round(tone) for tone in curve] * 3)
    return Image.blend(picture, bent, 0.6)


def sharper(picture: Image.Image) -> Image.Image:
    """Bring out edges, by a radius that grows with the picture."""
    radius = max(1.0, max(picture.size) / 450)
    return picture.filter(ImageFilter.UnsharpMask(radius=radius, percent=90, threshold=2))


def softer(picture: Image.Image) -> Image.Image:
    """Lay a glow over the picture: a blurred copy, screened, which keeps the edges readable."""
    blurred = picture.filter(ImageFilter.GaussianBlur(max(picture.size) / 120))
    return Image.blend(
        Image.blend(picture, blurred, 0.45), ImageChops.screen(picture, blurred), 0.2
    )


def black_and_white(picture: Image.Image) -> Image.Image:
    """Take all colour away."""
    return ImageOps.autocontrast(ImageOps.grayscale(picture), cutoff=0.3).convert("RGB")


def vintage(picture: Image.Image) -> Image.Image:
    """Tone it like an old print: brown shadows, creamy light, and a trace of its own colour."""
    gray = ImageOps.grayscale(picture)
    print_ = ImageOps.colorize(gray, (38, 24, 14), (255, 244, 220), mid=(158, 124, 90))
    return Image.blend(picture, print_, 0.78)


def _gamma(picture: Image.Image, exponent: float) -> Image.Image:
    return picture.point([round(255 * (v / 255) ** exponent) for v in range(256)] * 3)


def _channels(picture: Image.Image, *gains: float) -> Image.Image:
    return picture.point([min(255, round(v * gain)) for gain in gains for v in range(256)])


def _words(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{pattern})\b", re.IGNORECASE)


# The backdrop comes first, as its edges are easiest to find in the picture's own colours; what
# takes colour away comes after all that changes colour.
TABLE: tuple[tuple[re.Pattern[str], Retouch], ...] = (
    (_words(r"(?:white|studio|plain|clean|seamless)(?:[ ,]+\w+){0,2}[ ,]+(?:background|backdrop)"
            r"|background (?:is |to |in )?(?:pure )?white|on white|remove (?:the )?background"
            r"|cut ?out|isolated"), white_backdrop),
    (_words(r"blur\w* (?:the )?(?:background|backdrop)|(?:background|backdrop) blur\w*"
            r"|(?:background|backdrop) (?:out of focus|softer)|bokeh|shallow depth"),
     blurred_backdrop),
    (_words(r"bright\w*|lighter|lighten\w*|well[- ]lit|high[- ]key"), brighter),
    (_words(r"dark|darker|darken\w*|moody|low[- ]key"), darker),
    (_words(r"warm\w*|golden|sunny|cosy|cozy"), warmer),
    (_words(r"cool\w*|cold\w*|icy"), cooler),
    (_words(r"vivid\w*|colou?rful|vibran\w*|saturated?|pop"), vivid),
    (_words(r"contrast\w*|punchy|dramatic"), contrasted),
    (_words(r"soften\w*|softer|soft focus|soft look|dreamy"), softer),
    (_words(r"vintage|sepia|retro|old[- ]fashioned|nostalgic"), vintage),
    (_words(r"black (?:and|&) white|b ?& ?w|gr[ae]y ?scale|monochrom\w*"), black_and_white),
    (_words(r"sharp\w*|crisp\w*|detailed|in focus"), sharper),
)  # fmt: skip
