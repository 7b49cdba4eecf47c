"""Who is served next: the line of `models.turns`, and beside it what a plain queue would do.

A turn's length is decided by the program's own function. The order of the rest (the instance
served longest ago, then the lower id; caps take an instance out of the line) is SQL there, and is
proved to be the same by tests/benchmarks/test_simulation.py.
"""

from collections import deque
from heapq import heappop, heappush, heapreplace
from itertools import count
from typing import Protocol

from benchmarks.simulation.world import Client
from models.turns import left_of_turn


class Standing:
    """What a shop's row says: `served` stands for `last_served`, as the number of a claim, because
    two claims are never at the same moment there."""

    __slots__ = ("cap", "due", "held", "id", "running", "served", "turns_left", "weight")

    def __init__(self, client: Client) -> None:
        self.id = client.id
        self.weight = client.weight
        self.cap = client.cap
        self.due = self.running = self.served = self.turns_left = 0
        self.held = False

    @property
    def room(self) -> int:
        """How many of its due images could be claimed now."""
        return self.due if self.cap is None else max(0, min(self.due, self.cap - self.running))


class Line(Protocol):
    """Shops with something due; `images` is how many images could be claimed in all."""

    def add(self, shop: Standing, images: int) -> None:
        """So many more of a shop's images are due."""

    def serve(self) -> Standing | None:
        """Claim an image of the shop whose turn it is; None when nobody is in the line."""

    def settle(self, shop: Standing) -> bool:
        """One of a shop's images runs no longer; True if that let it into the line again."""

    @property
    def images(self) -> int:
        """What `models.turns.claimable` counts."""


class FairLine:
    """The service's own."""

    def __init__(self) -> None:
        self._front: list[tuple[int, int, Standing]] = []
        self._claims = count(1)
        self._due = 0
        self._capped: dict[int, Standing] = {}

    def add(self, shop: Standing, images: int) -> None:
        """It takes the place that its last turn gave it."""
        stood = shop.due > 0 and not shop.held
        shop.due += images
        if shop.cap is None:
            self._due += images
        else:
            self._capped[shop.id] = shop
        if not stood and not shop.held:
            heappush(self._front, (shop.served, shop.id, shop))

    def serve(self) -> Standing | None:
        """Its turn goes on, or it goes to the end; a shop that is full leaves the line."""
        if not self._front:
            return None
        shop = self._front[0][2]
        shop.due -= 1
        shop.running += 1
        if shop.cap is None:
            self._due -= 1
        shop.turns_left = left_of_turn(shop.turns_left, shop.weight, shop.due)
        number = next(self._claims)
        if not shop.turns_left:
            shop.served = number
        shop.held = shop.cap is not None and shop.running >= shop.cap
        if shop.due and not shop.held:
            heapreplace(self._front, (shop.served, shop.id, shop))
        else:
            heappop(self._front)
        return shop

    def settle(self, shop: Standing) -> bool:
        """Who is no longer full stands in the line again, where its last turn put it."""
        shop.running -= 1
        if not shop.held or shop.running >= (shop.cap or 0):
            return False
        shop.held = False
        if shop.due:
            heappush(self._front, (shop.served, shop.id, shop))
        return shop.due > 0

    @property
    def images(self) -> int:
        """What is due, of capped shops no more than they may run."""
        return self._due + sum(shop.room for shop in self._capped.values())

    @property
    def anybody(self) -> bool:
        """Whether somebody stands in it."""
        return bool(self._front)


class FirstComeLine:
    """A plain queue: whoever ordered first is served first. No turns, no caps."""

    def __init__(self) -> None:
        self._orders: deque[list[int]] = deque()
        self._shops: dict[int, Standing] = {}
        self.images = 0

    def add(self, shop: Standing, images: int) -> None:
        """Behind everything that is there."""
        self._shops[shop.id] = shop
        self._orders.append([shop.id, images])
        shop.due += images
        self.images += images

    def serve(self) -> Standing | None:
        """An image of the oldest order."""
        if not self._orders:
            return None
        oldest = self._orders[0]
        oldest[1] -= 1
        if not oldest[1]:
            self._orders.popleft()
        shop = self._shops[oldest[0]]
        shop.due -= 1
        shop.running += 1
        self.images -= 1
        return shop

    def settle(self, shop: Standing) -> bool:
        """Nobody waits for that here."""
        shop.running -= 1
        return False

    @property
    def anybody(self) -> bool:
        """Whether anything is due."""
        return bool(self._orders)
