"""What lies behind the product, found by colour from the picture's border.

A cheap guess by design. It works on a small copy, in plain Python, and is scaled up and feathered.
"""

from PIL import Image, ImageChops, ImageFilter, ImageOps

SMALL = 112  # pixels along the longer side of the copy in which the backdrop is looked for
STEP = 17  # how far a neighbour's colour may be for the flood to go on
REACH = 44  # how far a colour may be from every colour of the border
BAY = 9  # pixels of the small copy: the widest bay that is closed
PALETTE = 6  # colours by which the border is described

Colour = tuple[int, ...]
Place = tuple[int, int]


def white_backdrop(picture: Image.Image) -> Image.Image:
    """Replace the backdrop by studio white, with a soft shadow of the product on it."""
    mask = backdrop_mask(picture)
    return Image.composite(_studio(mask), picture, mask)


def blurred_backdrop(picture: Image.Image) -> Image.Image:
    """Blur what is far from the middle, as a wide open lens would."""
    blurred = picture.filter(ImageFilter.GaussianBlur(max(picture.size) / 70))
    return Image.composite(blurred, picture, _away_from_the_middle(picture.size))


def backdrop_mask(picture: Image.Image) -> Image.Image:
    """A gray image of the picture's size: 255 where the backdrop is, 0 on the product."""
    small = picture.copy()
    small.thumbnail((SMALL, SMALL))
    small = small.filter(ImageFilter.MedianFilter(3)).convert("YCbCr")
    mask = Image.new("L", small.size, 0)
    for place in _flooded(small):
        mask.putpixel(place, 255)
    large = _closed(mask).resize(picture.size, Image.Resampling.BICUBIC)
    return large.filter(ImageFilter.GaussianBlur(max(picture.size) / 250))


def _closed(mask: Image.Image) -> Image.Image:
    """Close the bays that the flood washed into the product."""
    edge = BAY // 2
    wide = ImageOps.expand(mask, border=edge, fill=255)
    closed = wide.filter(ImageFilter.MinFilter(BAY)).filter(ImageFilter.MaxFilter(BAY))
    return ImageOps.crop(closed.filter(ImageFilter.MedianFilter(5)), edge)


def _flooded(small: Image.Image) -> set[Place]:
    """The places that a flood from the border reaches over colours that the border has too."""
    colours = _pixels(small)
    waiting = _border(small.size)
    palette = _palette([colours[place] for place in waiting])
    seen = set(waiting)
    while waiting:
        place = waiting.pop()
        ease = _ease(place, small.size)
        for other in _neighbours(place):
            if other not in colours or other in seen:
                continue
            step = _distance(colours[place], colours[other])
            reach = min(_distance(colours[other], colour) for colour in palette)
            if step < STEP * ease and reach < REACH * ease:
                seen.add(other)
                waiting.append(other)
    return seen


def _ease(place: Place, size: Place) -> float:
    """1 at the border, less towards the middle, where the product is likely to be."""
    x, y = place
    off = max(abs(2 * x / size[0] - 1), abs(2 * y / size[1] - 1))
    return 0.35 + 0.65 * off


def _pixels(small: Image.Image) -> dict[Place, Colour]:
    data = small.tobytes()
    return {
        (i % small.width, i // small.width): tuple(data[3 * i : 3 * i + 3])
        for i in range(small.width * small.height)
    }


def _border(size: tuple[int, int]) -> list[Place]:
    """The upper edge and most of the sides: below, the product itself often meets the edge."""
    right, low = size[0] - 1, size[1] * 2 // 3
    return [(x, 0) for x in range(size[0])] + [(x, y) for y in range(1, low) for x in {0, right}]


def _neighbours(place: Place) -> tuple[Place, ...]:
    x, y = place
    return (x + 1, y), (x - 1, y), (x, y + 1), (x, y - 1)


def _distance(one: Colour, other: Colour) -> float:
    """Brightness counts less: a backdrop's light varies more than its colour does."""
    return 0.7 * abs(one[0] - other[0]) + abs(one[1] - other[1]) + abs(one[2] - other[2])


def _palette(colours: list[Colour]) -> list[Colour]:
    strip = Image.new("RGB", (len(colours), 1))
    strip.putdata(colours)
    return sorted(set(_pixels(strip.quantize(PALETTE).convert("RGB")).values()))


def _studio(mask: Image.Image) -> Image.Image:
    """White, with the product's shadow: its outline, blurred, a little lower."""
    size = max(mask.size)
    product = ImageChops.invert(mask).filter(ImageFilter.GaussianBlur(size / 28))
    shadow = Image.new("L", mask.size, 0)
    shadow.paste(product, (0, size // 40))
    light = shadow.point([254 - round(v * 0.28) for v in range(256)])
    return Image.merge("RGB", (light, light, light))


def _away_from_the_middle(size: tuple[int, int]) -> Image.Image:
    """White at the edges, black in an oval in the middle, with a soft change between them."""
    ramp = Image.radial_gradient("L").resize(size, Image.Resampling.BICUBIC)
    return ramp.point([max(0, min(255, round((v - 105) * 4))) for v in range(256)])
