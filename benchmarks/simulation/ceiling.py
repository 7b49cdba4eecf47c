"""How much one PostgreSQL does on this machine, with 1, 2 and 4 processes that do nothing else.

Clients and server share the machine's cores, and Python takes most of them; so the server's own
processor time is told as well: it says what a server of its own would reach.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import psycopg

from benchmarks.simulation.crew import Crew, Output, crew
from benchmarks.simulation.stage import Stage
from models import batches
from models.batch_orders import BatchOrder
from tests.databases import bound
from tests.shop import PRICE, open_shop, order

# Enough waits for every claim that can be made meanwhile.
BATCHES, JOBS = 8, 100
MANY, ONE, LIVES = "claims, 8 shops wait", "claims, 1 shop waits", "whole lives"
TABLES = (
    "SELECT sum(pg_total_relation_size(oid))::bigint FROM pg_class"
    " WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
)


@dataclass(frozen=True, slots=True)
class Ceiling:
    """What so many processes reached side by side."""

    what: str
    processes: int
    output: Output


@dataclass(frozen=True, slots=True)
class Ceilings:
    """All of them, and the bytes that an image leaves in the tables and their indexes."""

    rows: list[Ceiling]
    bytes_per_image: float

    def best(self, what: str) -> Output:
        """The fastest of a kind."""
        return max((row.output for row in self.rows if row.what == what), key=lambda o: o.rate)


def ceilings(stage: Stage, seconds: float, processes: Sequence[int] = (1, 2, 4)) -> Ceilings:
    """Measure claims from many shops, claims from one, and whole lives, each for so long."""
    with crew(stage, max(processes)) as members:
        rows = [
            Ceiling(what, number, _claims(stage, members, shops, number, seconds))
            for what, shops in ((MANY, BATCHES), (ONE, 1))
            for number in processes
        ]
        url = stage.start_over()
        shops = _open_shops(url, max(processes))
        empty = _bytes(url)
        lives = [
            Ceiling(LIVES, number, members.work(url, "lives", seconds, shops[:number]))
            for number in processes
        ]
        grown = _bytes(url) - empty
    return Ceilings(rows + lives, grown / sum(each.output.images for each in lives))


def _claims(stage: Stage, members: Crew, shops: int, processes: int, seconds: float) -> Output:
    url = stage.start_over()
    waiting = _open_shops(url, shops)
    with bound(url) as app, app.app_context():
        for number in range(BATCHES):
            jobs = tuple(order(10, f"cup-{number}-{n}") for n in range(JOBS))
            batches.submit(waiting[number % shops], BatchOrder(jobs), PRICE)
    return members.work(url, "claims", seconds, [waiting[0]] * processes)


def _open_shops(url: str, number: int) -> list[int]:
    with bound(url) as app, app.app_context():
        return [open_shop(f"shop-{n}", credits=10_000_000) for n in range(number)]


def _bytes(url: str) -> int:
    with psycopg.connect(url) as connection:
        row = connection.execute(TABLES).fetchone()
    assert row is not None
    return int(row[0])
