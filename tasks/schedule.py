"""When the slots to come will be granted, if work waits for all of them: the limiter's own rule,
carried on from the grants that its log holds.

After one round of `limit` slots the rule repeats itself: every slot lies one whole window after the
one a round before, or, where the spacing is what bounds the rate, `limit` spacings. So the first
two rounds are worked out, and any later slot is so many rounds after one of the second. That is
exact, and costs the same for the ten-millionth slot as for the tenth. Just after an operator has
changed the limit, the slots for which the former one still binds are worked out before.
"""

from collections.abc import Iterator

from tasks.limiter import LimiterState
from tasks.pace import Bound

# How exactly a moment is told (the second number) that is not further off than the first; seconds.
# An estimate to the second would tell, over many images, how many of others wait among them. It
# would also change with every grant that comes some milliseconds later than foretold.
STEPS = ((60, 10), (600, 60), (3600, 300), (6 * 3600, 1800))
COARSEST = 3 * 3600

# The reasons of pauses that end by themselves. Every other one waits for an operator, who is not
# to be foretold: what looks like its end is only when one image tries again.
PASSING = {"throttled", "unreachable"}

# So many slots are worked out one by one while a former limit binds; behind these the new one is
# taken to be the only one. A former limit binds for one window of its own, mostly half a minute.
MOST_BY_HAND = 2_000


class Schedule:
    """The moments of the slots to come, in Unix seconds of Redis's clock."""

    def __init__(self, state: LimiterState) -> None:
        self._now = state.now
        self._limit = state.limit
        self._round = max(state.grant_window, state.limit * state.grant_spacing)
        self._slots = _first_slots(state)
        self._known = not state.paused_for or state.pause_reason in PASSING

    def slot(self, number: int) -> float | None:
        """When the `number`-th slot from now (from 1) is granted; None while a pause lasts that
        only an operator can end."""
        if not self._known:
            return None
        rounds = max(0, -(-(number - len(self._slots)) // self._limit))
        return self._slots[number - 1 - rounds * self._limit] + rounds * self._round

    def told(self, moment: float) -> int:
        """A moment as it may be told: rounded, and the further off it is the more coarsely."""
        step = next((s for far, s in STEPS if moment - self._now <= far), COARSEST)
        return round(moment / step) * step


def _first_slots(state: LimiterState) -> list[float]:
    """The slots that a former limit may delay, and then two rounds. The first is the limiter's own
    answer: it knows of the pause, of the quiet time after a loss of memory, and of a last grant
    that is older than the window."""
    rules = list(_rules(state))
    moments = [float("-inf")] * max(count for count, *_rest in rules) + list(state.grants)
    past = len(moments)
    moments.append(max(state.now + state.next_slot_in, _next(moments, rules)))
    alone_from = max((ends for *_rest, ends in rules[1:]), default=float("-inf"))
    while moments[-1] < alone_from and len(moments) < past + MOST_BY_HAND:
        moments.append(_next(moments, rules))
    delayed = len(moments) if len(rules) > 1 else past
    while len(moments) < delayed + 2 * state.limit:
        moments.append(_next(moments, rules))
    return moments[past:]


def _rules(state: LimiterState) -> Iterator[tuple[int, float, float, float]]:
    """Count, window, spacing, and until when it binds, of the limit in force and of former ones."""
    yield state.limit, state.grant_window, state.grant_spacing, float("inf")
    for former in state.former:
        bound = Bound.of(former.pace, state.grant_window - state.window)
        yield bound.count, bound.window, bound.spacing, state.now + former.left


def _next(moments: list[float], rules: list[tuple[int, float, float, float]]) -> float:
    return max(
        min(max(moments[-count] + window, moments[-1] + spacing), ends)
        for count, window, spacing, ends in rules
    )
