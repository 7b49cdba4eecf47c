"""One panel of the dashboard as HTML and SVG."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape

from answers import COLORS, Json, Line, Source, box, lines

SECONDS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600]


@dataclass(frozen=True)
class Area:
    """The rectangle of a chart, in pixels; `highest` is the value at its upper edge."""

    source: Source
    left: float
    top: float
    width: float
    height: float
    highest: float

    def x(self, at: float) -> float:
        """The place of a moment; what lies before the first one is at the edge."""
        share = (at - self.source.start) / (self.source.end - self.source.start)
        return self.left + self.width * max(0.0, share)

    def y(self, value: float) -> float:
        """The place of a value; nothing is drawn below 0."""
        return self.top + self.height * (1 - max(0.0, value) / self.highest)

    def curve(self, line: Line, gap: float) -> Iterator[str]:
        """The line, broken where points are more than `gap` seconds apart, and what it fills."""
        for run in runs(line.points, gap):
            places = [f"{self.x(at):.1f} {self.y(value):.1f}" for at, value in run]
            yield from self.ground(line, places)
            # A round end of a line without length is a dot: so a point between gaps is seen.
            path = " L".join([*places, places[-1]] if len(places) == 1 else places)
            dash = 'stroke-dasharray="8 6"' if line.dashed else 'stroke-linecap="round"'
            width = 4 if len(places) == 1 else 1.8
            style = f'fill="none" stroke="{line.color}" stroke-width="{width}" {dash}'
            yield f'<path d="M{path}" {style} stroke-linejoin="round"/>'

    def ground(self, line: Line, places: list[str]) -> Iterator[str]:
        """What lies between a line and 0, tinted."""
        foot = f"{self.top + self.height:.1f}"
        ends = [f"{places[side].split()[0]} {foot}" for side in (0, -1)]
        path = " L".join([ends[0], *places, ends[1]])
        yield f'<path d="M{path}Z" fill="{line.color}" opacity="{line.fill / 100}"/>'

    def scale(self, values: list[float], defaults: Json) -> Iterator[str]:
        """The upright axis: a rule and a label for each value."""
        for value in values:
            y = f"{self.y(value):.1f}"
            yield f'<path class="rule" d="M{self.left} {y}h{self.width}"/>'
            label = escape(shown(value, defaults))
            yield f'<text x="{self.left - 8}" y="{y}" dy="4" text-anchor="end">{label}</text>'

    def clock(self) -> Iterator[str]:
        """The level axis: a rule and a label for each full minute that fits."""
        foot = self.top + self.height
        for at in moments(self.source):
            x = f"{self.x(at):.1f}"
            yield f'<path class="rule" d="M{x} {self.top}v{self.height}"/>'
            label = f"{datetime.fromtimestamp(at, UTC):%H:%M}"
            yield f'<text x="{x}" y="{foot}" dy="18" text-anchor="middle">{label}</text>'


def stat(panel: Json, source: Source) -> str:
    """The last value, large, in the colour of its threshold, above its course."""
    defaults, found = panel["fieldConfig"]["defaults"], lines(panel, source)
    if not found or not found[0].points:
        return f"<strong>{escape(defaults['noValue'])}</strong>"
    last = found[0].points[-1][1]
    color = reached(last, defaults)
    line = Line("", color, False, 15, found[0].points)
    _, _, width, height = box(panel)
    highest = max(1.0, *(value for _, value in line.points))
    area = Area(source, 0, height - 44, width - 2, 42, highest)
    text = escape(mapped(last, defaults))
    return f'{svg(panel, area.curve(line, math.inf))}<strong style="color: {color}">{text}</strong>'


def reached(value: float, defaults: Json) -> str:
    """The colour of the highest threshold that the value has reached."""
    steps = defaults["thresholds"]["steps"]
    names = [step["color"] for step in steps if step["value"] is None or value >= step["value"]]
    return COLORS[names[-1]]


def mapped(value: float, defaults: Json) -> str:
    """The word that the panel has for a value, or the value with its unit."""
    for mapping in defaults["mappings"]:
        if f"{value:g}" in mapping["options"]:
            return str(mapping["options"][f"{value:g}"]["text"])
    return shown(value, defaults)


def chart(panel: Json, source: Source) -> str:
    """Curves, axes and legend of a time series."""
    defaults, found = panel["fieldConfig"]["defaults"], lines(panel, source)
    _, _, width, height = box(panel)
    values = ticks(max((value for each in found for _, value in each.points), default=0), defaults)
    margin = 22 + 7 * max(len(shown(value, defaults)) for value in values)
    area = Area(source, margin, 44, width - margin - 20, height - 104, values[-1])
    gap = 1.5 * source.step(panel)
    curves = [curve for each in found for curve in area.curve(each, gap)]
    names = "".join(f"<li>{key(each)}{escape(each.name)}</li>" for each in found)
    return f"{svg(panel, [*area.scale(values, defaults), *area.clock(), *curves])}<ul>{names}</ul>"


def key(line: Line) -> str:
    """The little stroke before a name of the legend."""
    style = "dashed" if line.dashed else "solid"
    return f'<i style="border-top: 3px {style} {line.color}"></i>'


def svg(panel: Json, parts: Iterable[str]) -> str:
    """A drawing as large as its panel."""
    _, _, width, height = box(panel)
    return f'<svg width="{width}" height="{height}">{"".join(parts)}</svg>'


def shown(value: float, defaults: Json) -> str:
    """A value with its unit."""
    unit = defaults["unit"]
    for text, seconds in (("h", 3600), ("min", 60), ("s", 1), ("ms", 0.001)):
        if unit == "s" and (value >= seconds or (value == 0 and text == "s")):
            return f"{number(value / seconds, defaults)} {text}"
    suffix = str(unit).replace("suffix:", " ").replace("none", "")
    return number(value, defaults) + suffix


def number(value: float, defaults: Json) -> str:
    """A value with as many decimals as the panel wants, else with three digits."""
    return f"{value:.{defaults['decimals']}f}" if "decimals" in defaults else f"{value:.3g}"


def ticks(top: float, defaults: Json) -> list[float]:
    """Round values from 0 to just above `top`, five or so."""
    tens = [digit * 10.0**power for power in range(-3, 9) for digit in (1, 2, 5)]
    least = 1 if defaults.get("decimals") == 0 else 0
    steps = SECONDS if defaults["unit"] == "s" else [step for step in tens if step >= least]
    step = next((step for step in steps if top / step <= 5), 86_400)
    return [step * place for place in range(max(1, math.ceil(top / step)) + 1)]


def runs(found: list[tuple[float, float]], gap: float) -> list[list[tuple[float, float]]]:
    """Cut the points where nothing was measured."""
    cut: list[list[tuple[float, float]]] = []
    for point in found:
        if not cut or point[0] - cut[-1][-1][0] > gap:
            cut.append([])
        cut[-1].append(point)
    return cut


def moments(source: Source) -> list[float]:
    """Full minutes to label, at most nine."""
    span = source.end - source.start
    step = next((s for s in (60, 120, 300, 600, 1800, 3600, 7200) if span / s <= 9), 14_400)
    first = math.ceil(source.start / step) * step
    return [float(at) for at in range(first, int(source.end), step)]
