"""What every page must keep in every state: it can be used by all, fits, and does not jump."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Page

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
AXE_OPTIONS = {"runOnly": {"type": "tag", "values": TAGS}, "resultTypes": ["violations"]}
# Two frames later the styles are computed, the layout is done and what shifted is known.
PAINTED = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"

# Below 0.1 counts as good (web.dev/cls); nothing of ours has a reason to come near it.
MOST_SHIFT = 0.05
# What moves within half a second of a click or a key moves because of it, so it does not count.
NOTE_SHIFTS = """
window.layoutShifts = [];
window.noteShifts = (entries) => {
  for (const entry of entries) {
    if (entry.hadRecentInput) continue;
    const moved = entry.sources.map(({ node }) => node?.nodeType === 1
      ? node.outerHTML.slice(0, 120) : String(node?.textContent).slice(0, 60));
    layoutShifts.push({ value: entry.value, moved });
  }
};
window.shiftObserver = new PerformanceObserver((list) => noteShifts(list.getEntries()));
shiftObserver.observe({ type: "layout-shift", buffered: true });
"""
FORGET_SHIFTS = "(seen) => { noteShifts(shiftObserver.takeRecords()); layoutShifts.length = seen; }"
READ_SHIFTS = "() => { noteShifts(shiftObserver.takeRecords()); return layoutShifts; }"

# Those that reach out of the page on the right, the innermost ones only.
TOO_WIDE = """() => {
  const width = document.documentElement.clientWidth;
  const over = [...document.body.querySelectorAll("*")]
    .filter((each) => each.getBoundingClientRect().right > width + 0.5);
  const holds = (each) => over.some((other) => other !== each && each.contains(other));
  const inner = over.filter((each) => !holds(each));
  return { page: document.documentElement.scrollWidth, width,
    elements: inner.slice(0, 5).map((each) => each.outerHTML.slice(0, 160)) };
}"""


def check_accessible(page: Page) -> None:
    """Fail with every violation that axe finds (WCAG 2.2 A and AA, and its best practices)."""
    response = Axe().run(page, options=AXE_OPTIONS).response
    violations = "\n".join(_told(each) for each in response["violations"])
    assert not violations, f"axe on {page.url}:\n{violations}"


def check_no_layout_shift(page: Page) -> None:
    """Fail when what this document showed has moved by itself by more than `MOST_SHIFT`."""
    page.evaluate(PAINTED)
    shifts: list[dict[str, Any]] = page.evaluate(READ_SHIFTS)
    total = sum(shift["value"] for shift in shifts)
    told = "\n".join(f"  {shift['value']:.3f} {json.dumps(shift['moved'])}" for shift in shifts)
    assert total < MOST_SHIFT, f"the layout of {page.url} shifted by {total:.3f}:\n{told}"


@contextmanager
def meant_to_move(page: Page) -> Iterator[None]:
    """What moves meanwhile does so because of what the test does, however late a busy machine shows
    it: Chromium takes it for the effect of a click or a key for half a second only."""
    seen = len(page.evaluate(READ_SHIFTS))
    yield
    page.evaluate(PAINTED)
    page.evaluate(FORGET_SHIFTS, seen)


def check_fits(page: Page) -> None:
    """Fail when the page has to be scrolled sideways."""
    size = page.evaluate(TOO_WIDE)
    told = "\n".join(f"  {element}" for element in size["elements"])
    fits = size["page"] <= size["width"]
    assert fits, f"{page.url} is {size['page']} px wide on {size['width']} px:\n{told}"


def _told(violation: dict[str, Any]) -> str:
    nodes = "\n".join(
        f"    {' '.join(map(str, node['target']))}\n      {node['html'][:300]}\n"
        f"      {' '.join(node.get('failureSummary', '').split())}"
        for node in violation["nodes"]
    )
    rule = f"  {violation['id']} ({violation['impact']}): {violation['help']}"
    return f"{rule}\n    {violation['helpUrl']}\n{nodes}"
