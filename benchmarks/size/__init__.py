"""How much memory the processes take, and how long they take to start."""

from benchmarks.section import Findings
from benchmarks.size.measuring import measured
from benchmarks.size.report import findings


def run(quick: bool) -> Findings:
    """Weigh and time the containers of docker-compose.yml, and a fresh clone's `make run`."""
    return findings(measured(quick))
