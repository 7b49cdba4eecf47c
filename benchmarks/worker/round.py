"""What one round of one way came to."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Round:
    """Images that were made in so many seconds, and what each process spent: seconds of CPU."""

    images: int
    seconds: float
    cpu: dict[str, float]

    @property
    def rate(self) -> float:
        """Images a second."""
        return self.images / self.seconds


def rate(rounds: Sequence[Round]) -> float:
    """The median of their rates."""
    return median(each.rate for each in rounds)


def per_image(rounds: Sequence[Round], process: str) -> float:
    """Milliseconds of a process's CPU for one image: the median; 0 where there is none."""
    return median(1000 * each.cpu.get(process, 0.0) / each.images for each in rounds)


def busy(rounds: Sequence[Round], process: str) -> float:
    """How much of one core a process had: the median of the rounds."""
    return median(each.cpu.get(process, 0.0) / each.seconds for each in rounds)
