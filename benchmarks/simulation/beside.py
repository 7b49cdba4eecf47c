"""One image of a small shop, ordered while others have a thousand each waiting."""

from bisect import bisect_left
from dataclasses import dataclass

from benchmarks.simulation.diary import Claims
from benchmarks.simulation.play import Play
from benchmarks.simulation.world import Client, Order, Outside, Service
from config.forms import RateLimit

SERVICE = Service(RateLimit(360, 30.0), spacing=0.083)
# So many small shops, one after the other, order an image, and right after it a second one.
SMALL, FIRST, APART, AGAIN = 20, 60.0, 13.0, 0.1


@dataclass(frozen=True, slots=True)
class Beside:
    """Seconds, at the most: that a shop's `first` image waited, and the one that it ordered a
    moment later. `between`: how many other images were sent meanwhile, at the most. `last`: when
    the last image of all was sent, in seconds."""

    others: int
    first: float
    again: float
    between: int
    last: float


def beside(others: int, images: int = 1000) -> Beside:
    """Let so many shops have so many images each waiting; all are on the smallest plan."""
    large = [Client(id) for id in range(1, others + 1)]
    small = [Client(others + 1 + n) for n in range(SMALL)]
    orders = [Order(0.0, shop.id, images, batch=True) for shop in large]
    for number, shop in enumerate(small):
        at = FIRST + number * APART
        orders += [Order(at, shop.id, 1), Order(at + AGAIN, shop.id, 1)]
    game = Play(SERVICE, Outside(), [*large, *small], orders)
    claims = game.run().claims
    served = [_served(claims, shop.id) for shop in small]
    waits = [[claims.waited[place] for place in places] for places in served]
    return Beside(
        others,
        max(each[0] for each in waits),
        max(each[1] for each in waits),
        max(_between(claims, place) for places in served for place in places),
        claims.at[-1],
    )


def _served(claims: Claims, shop: int) -> list[int]:
    return [place for place, whose in enumerate(claims.shop) if whose == shop]


def _between(claims: Claims, place: int) -> int:
    """How many claims there were from the order of what was claimed there to its own claim."""
    return place - bisect_left(claims.at, claims.at[place] - claims.waited[place])
