"""How long an image waits for the machine: from POST to create, and from its end to DONE."""

from benchmarks.latency.measuring import measured
from benchmarks.latency.report import findings
from benchmarks.section import Findings


def run(quick: bool) -> Findings:
    """Send images through everything that production runs, and read when what happened to each."""
    return findings(measured(quick))
