"""Draw darkroom.json as a picture, from its own layout and queries and a real Prometheus's answers.

Prometheus scrapes a Darkroom; then, where the README's picture came from a `make run` with the
limit 10/10s that was scraped every 2 s:

    python docs/grafana/draw.py --prometheus http://127.0.0.1:9090 --minutes 6 --scrape 2 \
        --out docs/images/grafana.png

It needs the development packages and a Chromium: CHROMIUM's, the system's, or Playwright's own.
It knows what this dashboard uses (stat and timeseries panels), not all that Grafana can.
"""

import argparse
import json
import math
import os
import shutil
from datetime import UTC, datetime
from html import escape
from pathlib import Path

import httpx
from answers import EDGE, WIDTH, Json, Source, box, now
from chart import chart, stat
from playwright.sync_api import sync_playwright

DASHBOARD = Path(__file__).with_name("darkroom.json")
STYLE = """
* { box-sizing: border-box; margin: 0 }
body { background: #111217; color: #ccccdc; font: 12px Inter, Roboto, sans-serif }
header { padding: 18px 16px 0; display: flex; gap: 16px; align-items: baseline }
header span { color: #9d9fac } h1 { font-size: 18px; font-weight: 500; flex: 1 }
section { position: absolute; background: #181b1f; border: 1px solid #2a2d33; border-radius: 2px }
h2 { font-size: 14px; font-weight: 500; padding: 8px 8px 0; white-space: nowrap }
svg { position: absolute; left: 0; top: 0 } svg text { fill: #a5a7b4 }
.rule { stroke: #2b2e34 }
ul { position: absolute; bottom: 7px; left: 12px; display: flex; gap: 14px; list-style: none }
li { display: flex; align-items: center; gap: 6px; white-space: nowrap }
i { width: 14px } strong { position: absolute; left: 0; right: 0; top: 42px;
text-align: center; font-size: 40px; font-weight: 500 }
"""


def section(panel: Json, source: Source) -> str:
    """One panel at its place."""
    left, top, width, height = box(panel)
    place = f"left: {left}px; top: {top}px; width: {width}px; height: {height}px"
    body = {"stat": stat, "timeseries": chart}[panel["type"]](panel, source)
    return f'<section style="{place}"><h2>{escape(panel["title"])}</h2>{body}</section>'


def page(dashboard: Json, source: Source) -> str:
    """The whole dashboard as HTML."""
    span = " to ".join(
        f"{datetime.fromtimestamp(at, UTC):%H:%M:%S}" for at in (source.start, source.end)
    )
    head = f"<h1>{escape(dashboard['title'])}</h1><span>{span} UTC</span>"
    sections = "".join(section(panel, source) for panel in dashboard["panels"])
    return f"<!doctype html><style>{STYLE}</style><header>{head}</header>{sections}"


def photograph(html: str, height: int, out: Path) -> None:
    """Let Chromium take the picture."""
    program = os.environ.get("CHROMIUM") or shutil.which("chromium")
    with sync_playwright() as playwright, playwright.chromium.launch(executable_path=program) as it:
        tab = it.new_page(viewport={"width": WIDTH, "height": height})
        tab.set_content(html)
        tab.screenshot(path=out)


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--prometheus", default="http://127.0.0.1:9090")
    parser.add_argument("--minutes", type=float, default=360, help="how far to look back")
    parser.add_argument("--end", type=float, help="Unix seconds; Prometheus's now if left out")
    parser.add_argument("--scrape", type=float, default=15, help="the scrape interval in seconds")
    parser.add_argument("--out", type=Path, required=True)
    return parser.parse_args()


def main() -> None:
    """Ask, draw, take the picture."""
    wanted = arguments()
    dashboard = json.loads(DASHBOARD.read_text("utf-8"))
    with httpx.Client(base_url=wanted.prometheus, timeout=30, trust_env=False) as http:
        end = wanted.end or now(http)
        start = end - 60 * wanted.minutes
        html = page(dashboard, Source(http, start, end, wanted.scrape))
    bottom = max(sum(box(panel)[1::2]) for panel in dashboard["panels"])
    photograph(html, math.ceil(bottom + EDGE), wanted.out)


if __name__ == "__main__":
    main()
