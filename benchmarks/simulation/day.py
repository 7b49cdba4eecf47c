"""A day's orders: shops of very different size, most of it by day, single images, jobs, batches."""

from collections.abc import Iterator, Sequence
from math import cos, pi
from random import Random

from benchmarks.simulation.world import Client, Order

HOUR, DAY = 3600.0, 86_400.0
# Of all images so many come in batches of 1,000, in jobs of 10, and one by one.
SHARES = {1000: 0.3, 10: 0.5, 1: 0.2}
# At 15:00 half as much again is ordered as on average, at 3:00 half as much.
SWING, BUSIEST = 0.5, 15 * HOUR
# Batches come within so many seconds after a full hour: many catalogues are updated by the clock.
ON_THE_HOUR = 300.0
# The plans of the largest shops, by the share of all shops that they are together with larger ones.
PLANS = ((0.01, "enterprise"), (0.1, "pro"), (0.5, "basic"), (1.0, "free"))


def clients(number: int, images: int, seed: int = 1) -> list[Client]:
    """So many shops that order so many images together: the n-th largest an n-th of the largest's.

    Their ids are dealt out at random, because the line goes by ids where nobody was served yet.
    """
    ids = list(range(1, number + 1))
    Random(seed).shuffle(ids)
    largest = images / sum(1 / rank for rank in range(1, number + 1))
    return [
        Client(id, _plan(rank / number), largest / rank) for rank, id in enumerate(ids, start=1)
    ]


def _plan(part: float) -> str:
    return next(plan for most, plan in PLANS if part <= most)


def orders(shops: Sequence[Client], seed: int = 1, swing: float = SWING) -> list[Order]:
    """What these shops order in a day, the earliest first; no `swing`: by night as by day."""
    dice = Random(seed)
    minutes = range(24 * 60)
    busy = [1 + swing * cos(2 * pi * (60 * minute - BUSIEST) / DAY) for minute in minutes]
    sizes = [(shop.id, size) for shop in shops for size in _sizes(shop.size, dice)]
    moments = dice.choices(minutes, busy, k=len(sizes))
    made = [
        Order(_moment(60.0 * minute, size, dice), shop, size, batch=size == max(SHARES))
        for minute, (shop, size) in zip(moments, sizes, strict=True)
    ]
    return sorted(made, key=lambda order: order.at)


def _sizes(images: float, dice: Random) -> Iterator[int]:
    """Orders of about so many images together; what is less than one is one with that chance."""
    left = int(images) + (dice.random() < images % 1)
    while left:
        fitting = [size for size in SHARES if size <= left]
        chances = [SHARES[size] / size for size in fitting]
        size = dice.choices(fitting, chances)[0]
        yield size
        left -= size


def _moment(minute: float, size: int, dice: Random) -> float:
    if size == max(SHARES):
        return minute - minute % HOUR + dice.random() * ON_THE_HOUR
    return minute + dice.random() * 60.0
