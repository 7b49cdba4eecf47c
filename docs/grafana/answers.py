"""The dashboard's panels, and what a Prometheus answers to their queries."""

import math
import re
from dataclasses import dataclass
from typing import Any

import httpx

WIDTH, CELL, GAP, EDGE, HEADER = 1440, 30, 8, 16, 64
# Grafana's names for colours, and the order in which it gives them to series.
COLORS = {
    "green": "#73bf69",
    "yellow": "#fade2a",
    "blue": "#5794f2",
    "orange": "#ff9830",
    "red": "#f2495c",
    "purple": "#b877d9",
}
PALETTE = ["#73bf69", "#f2cc0c", "#8ab8ff", "#ff780a", "#f2495c", "#5794f2", "#b877d9"]

Json = dict[str, Any]


@dataclass(frozen=True)
class Line:
    """One series: `points` are (Unix seconds, value), without those that are not a number."""

    name: str
    color: str
    dashed: bool
    fill: int
    points: list[tuple[float, float]]


@dataclass(frozen=True)
class Source:
    """Where and when to ask; `scrape` is the scrape interval in seconds."""

    http: httpx.Client
    start: float
    end: float
    scrape: float

    def step(self, panel: Json) -> float:
        """Seconds between two points: the panel's min step, as far as it has pixels for them."""
        least = float(panel.get("interval", f"{self.scrape}s").removesuffix("s"))
        return max(least, math.ceil((self.end - self.start) / box(panel)[2]))

    def filled(self, expression: str, step: float) -> str:
        """The query as Grafana sends it: `$__rate_interval` holds four scrapes at least."""
        rate_interval = f"{max(step + self.scrape, 4 * self.scrape):g}s"
        return expression.replace("$__rate_interval", rate_interval)

    def ask(self, expression: str, step: float) -> list[Json]:
        """The series of a query; raises `httpx.HTTPStatusError` where Prometheus refuses it."""
        # Grafana begins at a multiple of the step, so that a refresh does not move the points.
        span = {"start": self.start // step * step, "end": self.end, "step": step}
        query = {"query": self.filled(expression, step)} | span
        answer = self.http.get("/api/v1/query_range", params=query).raise_for_status()
        found: list[Json] = answer.json()["data"]["result"]
        return sorted(found, key=lambda each: sorted(each["metric"].items()))


def now(http: httpx.Client) -> float:
    """Prometheus's time in Unix seconds."""
    answer = http.get("/api/v1/query", params={"query": "time()"}).raise_for_status()
    return float(answer.json()["data"]["result"][1])


def box(panel: Json) -> tuple[float, float, float, float]:
    """Left, top, width and height of a panel in pixels: Grafana's grid has 24 columns."""
    column = (WIDTH - 2 * EDGE - 23 * GAP) / 24
    x, y, w, h = (panel["gridPos"][side] for side in "xywh")
    left, top = EDGE + x * (column + GAP), HEADER + y * (CELL + GAP)
    return left, top, w * (column + GAP) - GAP, h * (CELL + GAP) - GAP


def lines(panel: Json, source: Source) -> list[Line]:
    """Ask for every series of a panel."""
    step = source.step(panel)
    found = [
        (legend(target["legendFormat"], series["metric"]), points(series))
        for target in panel["targets"]
        for series in source.ask(target["expr"], step)
    ]
    return [line(panel, name, order, its) for order, (name, its) in enumerate(found)]


def points(series: Json) -> list[tuple[float, float]]:
    """The numbers of a series; NaN and infinity cannot be drawn, as in Grafana."""
    numbers = [(float(at), float(value)) for at, value in series["values"]]
    return [each for each in numbers if math.isfinite(each[1])]


def legend(pattern: str, labels: dict[str, str]) -> str:
    """The name of a series: `{{label}}` stands for a label's value."""
    return re.sub(r"{{(\w+)}}", lambda found: labels.get(found[1], ""), pattern)


def line(panel: Json, name: str, order: int, found: list[tuple[float, float]]) -> Line:
    """Dress a series as the panel's defaults, and its overrides for this name, say."""
    config = panel["fieldConfig"]
    wishes: Json = {
        wish["id"]: wish["value"]
        for override in config["overrides"]
        if override["matcher"]["options"] == name
        for wish in override["properties"]
    }
    named = wishes.get("color", {}).get("fixedColor")
    color = COLORS[named] if named else PALETTE[order % len(PALETTE)]
    usual: int = config["defaults"].get("custom", {}).get("fillOpacity", 0)
    fill = wishes.get("custom.fillOpacity", usual)
    return Line(name, color, "custom.lineStyle" in wishes, fill, found)
