"""The plots of docs/benchmarks.md, as SVG."""

from pathlib import Path
from typing import Literal

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.section import Plot

IMAGES = Path(__file__).parent.parent / "docs" / "images" / "benchmarks"
# The same findings make the same file: no time of making, no random ids.
mpl.rcParams.update({"svg.hashsalt": "darkroom", "svg.fonttype": "none", "font.size": 9})


def draw(plot: Plot, folder: Path = IMAGES) -> Path:
    """Write the SVG into that folder and return its path."""
    figure = Figure(figsize=(7, _height(plot)), layout="constrained")
    axes = figure.subplots()
    DRAWN[plot.kind](axes, plot)
    axes.set(title=plot.title, xlabel=plot.x_label, ylabel=plot.y_label)
    for axis in plot.log:
        axes.set_xscale("log") if axis == "x" else axes.set_yscale("log")
    ruled: dict[str, Literal["both", "x", "y"]] = {"lines": "both", "bars": "y", "rows": "x"}
    axes.grid(axis=ruled[plot.kind], alpha=0.3)
    if len(plot.series) > 1:
        axes.legend()
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{plot.name}.svg"
    figure.savefig(path, metadata={"Date": None})
    return path


def _lines(axes: Axes, plot: Plot) -> None:
    for name, points in plot.series.items():
        axes.plot([x for x, _ in points], [y for _, y in points], marker="o", label=name)


def _bars(axes: Axes, plot: Plot) -> None:
    names = _names(plot)
    width = 0.8 / len(plot.series)
    for number, (name, points) in enumerate(plot.series.items()):
        places = [names.index(x) + (number + 0.5) * width - 0.4 for x, _ in points]
        bars = axes.bar(places, [y for _, y in points], width, label=name)
        axes.bar_label(bars, fmt="{:,.3g}", fontsize=7)
    axes.set_xticks(range(len(names)), names)


def _rows(axes: Axes, plot: Plot) -> None:
    """Bars that lie, for names that are too long to stand below them; the first one on top."""
    names = _names(plot)
    width = 0.8 / len(plot.series)
    for number, (name, points) in enumerate(plot.series.items()):
        places = [names.index(x) + (number + 0.5) * width - 0.4 for x, _ in points]
        bars = axes.barh(places, [y for _, y in points], width, label=name)
        axes.bar_label(bars, fmt="{:,.3g}", fontsize=6)
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()


def _names(plot: Plot) -> list[str]:
    return list(dict.fromkeys(x for points in plot.series.values() for x, _ in points))


def _height(plot: Plot) -> float:
    return 3.6 if plot.kind != "rows" else 1.0 + 0.13 * len(_names(plot)) * (len(plot.series) + 0.5)


DRAWN = {"bars": _bars, "lines": _lines, "rows": _rows}
