"""When the end of a prediction is noticed: by its webhook, or by looks in growing pauses."""

from bisect import bisect_left
from dataclasses import dataclass

from benchmarks.simulation.world import Outside, Service
from tasks.collect import LONGEST_POLL, POLL_GROWTH

# Further looks are not worked out beforehand: Replicate ends a prediction after ten minutes.
LONGEST = 700.0


@dataclass(frozen=True, slots=True)
class Noticed:
    """Seconds from the note to the look that finds the end, and how many looks there were."""

    after: float
    looks: int


class Followers:
    """The housekeepers, of which there are always enough: see `sizing` for how many that is."""

    def __init__(self, service: Service, outside: Outside) -> None:
        self._webhook = outside.webhook if service.webhooks else None
        self._looks = list(_looks(service.poll_interval, outside.get))

    def notice(self, ended_after: float) -> Noticed:
        """Notice a prediction that ends so many seconds after its note."""
        if self._webhook is not None:
            return Noticed(ended_after + self._webhook, 1)
        number = bisect_left(self._looks, ended_after)
        return Noticed(self._looks[number], number + 1)


def _looks(poll: float, get: float) -> list[float]:
    """The moments of all looks: `tasks.collect` makes the first after one pause, and each pause
    longer than the one before; the next message is sent when the answer is there."""
    moments = [poll]
    while moments[-1] < LONGEST:
        pause = min(poll * POLL_GROWTH ** min(len(moments), 10), LONGEST_POLL)
        moments.append(moments[-1] + get + pause)
    return moments
