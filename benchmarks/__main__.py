"""`python -m benchmarks [--quick] [NAME …]`: measure, and write docs/benchmarks.md and plots."""

import argparse
import importlib
import sys
import time
from datetime import UTC, datetime

from benchmarks.machine import machine
from benchmarks.page import PAGE, page
from benchmarks.plots import draw
from benchmarks.section import Findings, Result, stored

# In the order of the page. Each is a module or a package with `run(quick) -> Findings`.
NAMES = ("limiter", "worker", "rest", "growth", "latency", "size", "simulation")


def measure(name: str, quick: bool) -> Result:
    """Run one benchmark."""
    began = time.monotonic()
    findings: Findings = importlib.import_module(f"benchmarks.{name}").run(quick)
    today = datetime.now(UTC).date().isoformat()
    return Result(name, machine(), today, round(time.monotonic() - began, 1), findings)


def main(words: list[str]) -> None:
    """Measure what is named, or all; a quick run writes nothing."""
    arguments = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    arguments.add_argument("names", nargs="*", metavar="NAME", help=", ".join(NAMES))
    arguments.add_argument("--quick", action="store_true", help="few rounds, and nothing written")
    asked = arguments.parse_args(words)
    if unknown := set(asked.names) - set(NAMES):
        sys.exit(
            f"there is no benchmark {', '.join(sorted(unknown))}: there are {', '.join(NAMES)}"
        )
    for name in asked.names or NAMES:
        result = measure(name, asked.quick)
        for target in result.findings.targets:
            print(f"{'✓' if target.kept else '✗'} {name}: {target.promise}: {target.measured}")
        for line in result.findings.skipped:
            print(f"- {name}: not measured: {line}")
        if not asked.quick:
            result.write()
    if not asked.quick:
        write_page()


def write_page() -> None:
    """Write docs/benchmarks.md and its plots from what is stored."""
    results = [result for name in NAMES if (result := stored(name))]
    for result in results:
        for plot in result.findings.plots:
            draw(plot)
    PAGE.write_text(page(results))
    print(f"wrote {PAGE.relative_to(PAGE.parent.parent)}")


if __name__ == "__main__":
    main(sys.argv[1:])
