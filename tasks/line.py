"""The place of one process in the line of those who wait for slots.

Redis keeps the line (`limiter.lua`) and foretells everybody's slot, so that each asks when his has
come instead of all of them for each slot. It is a courtesy and grants nothing: a line that is lost
costs a few questions, and who does not come in time has lost his place, no more.

Who waits looks at his place now and then, because it moves: others come late, leave, or die. A look
is one round trip of plain reads, a tenth of what a question costs Redis.
"""

import uuid
from enum import IntEnum

import redis


class Stay(IntEnum):
    """Whether one who asks stays in line."""

    NOT = 0
    UNTIL_GRANTED = 1
    FOR_ANOTHER = 2


class Place:
    """One process's place: the thread in front uses it, the last that waits gives it up.

    `patience` is for how long, in seconds, somebody may miss his moment before others take it.
    """

    def __init__(self, client: redis.Redis, line: str, patience: float) -> None:
        self.name = uuid.uuid4().hex
        self._client = client
        self._line = line
        self._patience = patience
        self._told: float | None = None

    @property
    def is_held(self) -> bool:
        """Whether there is a place, as far as is known here."""
        return self._told is not None

    @property
    def is_ahead(self) -> bool:
        """Whether the slot had not come yet when the line last told of it."""
        # Looked at once: who gives the place up may do so in between.
        told = self._told
        return told is not None and told > 0

    def told(self, seconds: float | None) -> None:
        """Keep what the limiter said: the slot comes in `seconds`; None: there is no place."""
        self._told = seconds

    def turn_in(self) -> float:
        """Look: seconds until the slot, or until the next look; 0 where it is time to ask.

        It is time, too, when the place is gone, or when the first in line does not come: nobody
        tells the others of that but who asks next. While he may still come, look again soon.
        """
        look = self._client.pipeline(transaction=False)
        look.zscore(self._line, self.name)
        look.zrange(self._line, 0, 0, withscores=True)
        look.time()
        own: float | None
        own, first, (seconds, micros) = look.execute()
        now: float = seconds + micros / 1e6
        if own is None:
            return 0.0
        first_told = first[0][1] / 1e6
        until = min(own / 1e6, first_told + self._patience) if first_told < now else own / 1e6
        return max(0.0, until - now)
