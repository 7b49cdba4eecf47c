"""What is played twice, once by real processes and once by the simulation.

Shops of every plan, one of them with a cap, have very different backlogs when the first slot is
granted. While these go, shops that have nothing else order a single image each.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.simulation.world import Outside, Service, Uniform
from config.forms import RateLimit

WORKERS = 3
SERVICE = Service(
    RateLimit(50, 3.0), webhooks=False, poll_interval=0.5, retry_pause=0.5, sweep_interval=2.0,
    processes=WORKERS, threads=10,
)  # fmt: skip
CREATE, PREDICT = (0.1, 0.2), (0.8, 1.6)
# The calls themselves take next to nothing on one machine.
OUTSIDE = Outside(create=Uniform(*CREATE), predict=Uniform(*PREDICT), get=0.02, keep=0.05)


@dataclass(frozen=True, slots=True)
class Backlog:
    """A shop with so many images, ordered `at` so many seconds after the first slot."""

    plan: str
    images: int
    cap: int | None = None
    at: float = 0.0


FULL: Sequence[Backlog] = (
    Backlog("enterprise", 120),
    Backlog("pro", 80),
    Backlog("free", 90),
    Backlog("free", 60),
    Backlog("basic", 30),
    Backlog("basic", 10),
    # Slower than the line: four at a time, each for some 1.7 s.
    Backlog("free", 30, cap=4),
    Backlog("free", 1, at=4.3),
    Backlog("free", 1, at=9.1),
    Backlog("free", 1, at=14.7),
)
QUICK: Sequence[Backlog] = (
    Backlog("enterprise", 24),
    Backlog("free", 20),
    Backlog("free", 6, cap=3),
    Backlog("free", 1, at=1.0),
)
