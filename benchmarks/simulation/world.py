"""What a run of the simulation is given: shops, their orders, the settings, and Replicate."""

from collections.abc import Callable
from dataclasses import dataclass
from math import exp, log
from random import Random

from config.forms import RateLimit
from config.plans import PLANS

Draw = Callable[[Random], float]


@dataclass(frozen=True, slots=True)
class Client:
    """A shop. `size` is how many images it orders that day; `cap` how many may run at a time."""

    id: int
    plan: str = "free"
    size: float = 0.0
    cap: int | None = None

    @property
    def weight(self) -> int:
        """How many images its turns have."""
        return PLANS[self.plan].weight


@dataclass(frozen=True, slots=True)
class Order:
    """So many images of a shop, ordered together `at` that second."""

    at: float
    shop: int
    images: int
    batch: bool = False


@dataclass(frozen=True, slots=True)
class Uniform:
    """Seconds between two bounds, as the stand-in draws them."""

    least: float
    most: float

    def __call__(self, dice: Random) -> float:
        """Draw one."""
        return dice.uniform(self.least, self.most)


@dataclass(frozen=True, slots=True)
class LogNormal:
    """Seconds of which half are below `median`, and one in a hundred above `p99`."""

    median: float
    p99: float

    def __call__(self, dice: Random) -> float:
        """Draw one."""
        sigma = log(self.p99 / self.median) / 2.326
        return self.median * exp(dice.gauss(0.0, sigma))


@dataclass(frozen=True)
class Service:
    """The settings by their names in the README, and the workers that were started.

    `claim` is how many seconds one claim takes; those of a process come one after the other.
    """

    limit: RateLimit
    spacing: float = 0.0
    webhooks: bool = True
    poll_interval: float = 2.0
    retry_pause: float = 10.0
    sweep_interval: float = 30.0
    processes: int = 3
    threads: int = 10
    claim: float = 0.01


@dataclass(frozen=True, slots=True)
class Outside:
    """Replicate and the storage: how long calls and predictions take, in seconds, and what fails.

    Of the predictions the share `fails_later` fails in a way that is worth another attempt, and
    `fails` for good. `keep` is download, check and storing of a result.
    """

    create: Draw = Uniform(0.2, 0.6)
    predict: Draw = LogNormal(8.0, 20.0)
    get: float = 0.2
    keep: float = 1.0
    webhook: float = 0.1
    fails_later: float = 0.0
    fails: float = 0.0
