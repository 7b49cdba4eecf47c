"""Random kills by a seed: of every kind of process, of Valkey with its data, of PostgreSQL.

The same seed kills the same processes after the same pauses; what they were doing then is up to
the machine. Whatever has ended is started again after a moment, as an orchestrator would.
"""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.darkroom import Darkroom, darkroom
from tests.databases import migrate
from tests.postgres import Postgres
from tests.service import Process, wait_until
from tests.stand_in import StandIn
from tests.tether import free_port
from tests.valkey import Valkey

KILLS = 15
PAUSE = (0.3, 2.0)
MOMENT = (0.2, 1.0)
SETTINGS = {
    # Slow enough that work piles up.
    "REPLICATE_RATE_LIMIT": "10/4s",
    # The least that Replicate's Cancel-After takes: what a killed worker may have created is known
    # to have ended a minute and this after its claim.
    "PREDICTION_DEADLINE": "5s",
}


@dataclass
class World:
    """A Darkroom with servers of its own; with webhooks, its API belongs on `port`."""

    room: Darkroom
    valkey: Valkey
    postgres: Postgres
    port: int | None


@contextmanager
def world(stand_in: StandIn, folder: Path, *, webhooks: bool = False) -> Iterator[World]:
    """The servers and a Darkroom on them; with `webhooks`, predictions are created with one."""
    port = free_port() if webhooks else None
    settings = SETTINGS | ({"PUBLIC_BASE_URL": f"http://127.0.0.1:{port}"} if port else {})
    valkey, postgres = Valkey().start(), Postgres().start()
    try:
        database = postgres.create_database()
        migrate(database)
        with darkroom(database, valkey.url, stand_in, folder, **settings) as room:
            yield World(room, valkey, postgres, port)
    finally:
        valkey.close()
        postgres.close()


class Fleet:
    """Processes that are started again, whoever ended them."""

    def __init__(self, starts: list[Callable[[], Process]]) -> None:
        self._starts = starts
        self._running = [start() for start in starts]
        self._back_at: dict[int, float] = {}

    @property
    def size(self) -> int:
        """How many processes there should be."""
        return len(self._starts)

    def kill(self, place: int, back_in: float) -> None:
        """kill -9 whoever has that place, and have it back in so many seconds."""
        self._running[place].kill()
        self._back_at[place] = time.monotonic() + back_in

    def tend(self) -> None:
        """Start what has ended and is due again."""
        for place, process in enumerate(self._running):
            if process.ended and self._back_at.get(place, 0.0) <= time.monotonic():
                self._running[place] = self._starts[place]()

    def tend_until(self, true: Callable[[], object], what: str, patience: float) -> None:
        """Keep all running until `true()`."""

        def seen() -> object:
            self.tend()
            return true()

        wait_until(seen, what, patience)

    def tend_for(self, seconds: float) -> None:
        """Keep all running for so long."""
        end = time.monotonic() + seconds
        self.tend_until(lambda: time.monotonic() >= end, f"{seconds} s pass", seconds + 60)


def fleet(world: World) -> Fleet:
    """Three workers, two housekeepers, the scheduler and, for webhooks, the API: all ready."""
    service, port = world.room.service, world.port
    workers = [service.begin] * 3 + [lambda: service.begin("housekeeping")] * 2
    others = [service.beat] + ([lambda: service.begin_api(port)] if port else [])
    built = Fleet([*workers, *others])
    for process in service.processes[: len(workers)]:
        service.ready(process)
    return built


def break_everything(world: World, fleet: Fleet, seed: int, order: Callable[[], object]) -> None:
    """Kill processes at random, Valkey once with its data, and restart PostgreSQL once.

    Before every third kill and before the last one there is an `order`, so there is always work.
    """
    dice = random.Random(seed)
    valkey_at, postgres_at = dice.sample(range(2, KILLS - 2), 2)
    for kill in range(KILLS):
        fleet.tend_for(dice.uniform(*PAUSE))
        if kill % 3 == 0 or kill == KILLS - 1:
            order()
        fleet.kill(dice.randrange(fleet.size), back_in=dice.uniform(*MOMENT))
        if kill == valkey_at:
            world.valkey.kill()
            fleet.tend_for(dice.uniform(*MOMENT))
            world.valkey.start(empty=True)
        if kill == postgres_at:
            world.postgres.restart()
