"""What the moments of arrival say, in seconds of the receiving server's monotonic clock."""

from collections.abc import Sequence

from benchmarks.limiter.cases import Limit
from tests.grants import most_in_window

TOLERANCE = 0.05  # seconds by which the way to the receiver may shorten a window


def worst_window(arrivals: Sequence[float], limit: Limit) -> int:
    """The most arrivals in any half-open window, made shorter by the tolerance."""
    return most_in_window(list(arrivals), limit.window - TOLERANCE)


def share_of_possible(arrivals: Sequence[float], limit: Limit) -> float:
    """How fast they came, as a share of the fastest that the limit allows.

    After a whole number of rounds each send has to be followed by the one that is as many times
    `count` places behind it. What that takes on average, over all sends of the first round, is
    compared with the rounds: unlike a count, that notices delays much shorter than a round.
    """
    ordered = sorted(arrivals)
    rounds = (len(ordered) - 1) // limit.count
    if rounds < 1:
        return 0.0
    places = rounds * limit.count
    taken = [ordered[n + places] - ordered[n] for n in range(len(ordered) - places)]
    return rounds * limit.round / (sum(taken) / len(taken))


def lateness(arrivals: Sequence[float], limit: Limit) -> list[float]:
    """How long after the first moment that the limit allowed each came; below 0: before it."""
    ordered = sorted(arrivals)
    return [
        ordered[n] - max(ordered[n - limit.count] + limit.window, ordered[n - 1] + limit.spacing)
        for n in range(limit.count, len(ordered))
    ]


def possible(limit: Limit, seconds: float) -> int:
    """How many sends the limit allows from the first one on, that one included."""
    rounds, rest = divmod(seconds, limit.round)
    started = int(rest / limit.spacing) + 1 if limit.spacing else limit.count
    return int(rounds) * limit.count + min(limit.count, started)


def lost_slots(arrivals: Sequence[float], limit: Limit, seconds: float) -> int:
    """How many sends are missing of those that were possible in the first `seconds`."""
    first = min(arrivals)
    return possible(limit, seconds) - sum(each <= first + seconds for each in arrivals)
