"""The limiter, simulated: the same log of grants and the same rule as `tasks/limiter.lua`."""

from collections import deque
from math import inf

from config.forms import RateLimit
from models.controls import Pace
from tasks.pace import Bound

# For so long a grant is good: the limiter's own default (`tasks.limiter.Limiter`).
GRANT_AGE = 0.2


class Slots:
    """A slot is free one window after the N-th last grant, and a spacing after the last one.

    Which window and which spacing keep the limit's is the program's to say (`tasks.pace.Bound`).
    """

    def __init__(self, limit: RateLimit, spacing: float) -> None:
        self.bound = Bound.of(Pace(limit, spacing), GRANT_AGE)
        self._grants: deque[float] = deque(maxlen=self.bound.count)

    def free_from(self) -> float:
        """When the next one is free."""
        if not self._grants:
            return -inf
        full = len(self._grants) == self.bound.count
        after_window = self._grants[0] + self.bound.window if full else -inf
        return max(after_window, self._grants[-1] + self.bound.spacing)

    def take(self, at: float) -> None:
        """Grant one; what is older than the last N binds nobody."""
        self._grants.append(at)

    @property
    def rate(self) -> float:
        """The slots a second that there are while work waits for all of them."""
        return self.bound.count / max(self.bound.window, self.bound.count * self.bound.spacing)
