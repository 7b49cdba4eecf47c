"""A million images in a day, at several limits: the same orders each time."""

import os
import time
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context

from benchmarks.simulation.day import DAY, SWING, clients, orders
from benchmarks.simulation.diary import Claims
from benchmarks.simulation.fairness import Window, windows
from benchmarks.simulation.play import Play
from benchmarks.simulation.slots import Slots
from benchmarks.simulation.waits import Wait, by_size
from benchmarks.simulation.world import Outside, Service
from config.forms import RateLimit

WINDOW = 30.0
# Ten minutes: several rounds, however many shops wait.
STRETCH = 600.0
# Of the predictions so many fail in a way that is worth another attempt, and so many for good.
OUTSIDE = Outside(fails_later=0.02, fails=0.005)


@dataclass(frozen=True, slots=True)
class Setting:
    """A day: so many images of so many shops, with slots for all of them at that `load`. The more
    `swing`, the more is ordered by day and the less by night."""

    name: str
    images: int
    shops: int
    load: float
    fair: bool = True
    webhooks: bool = True
    swing: float = SWING

    def service(self) -> Service:
        """The limit that makes this load, with its slots spread over the window. A failed attempt
        takes a slot like any other."""
        wanted = self.images * (1 + OUTSIDE.fails_later + OUTSIDE.fails_later**2) / DAY
        loose = Slots(RateLimit(1, WINDOW), 0.0).bound.window
        limit = RateLimit(max(1, round(wanted / self.load * loose)), WINDOW)
        spacing = int(1000 * WINDOW / limit.count) / 1000
        return Service(limit, spacing=spacing, webhooks=self.webhooks)


@dataclass(frozen=True)
class Day:
    """What became of it. `fullest`: the most claims in any window of the limit. Threads that are
    `creating` or `following` and predictions that are `running` are means over the day.
    `shops_a_sweep`: of how many shops images were sent from one sweep to the next, at the most.
    `seconds` is how long the simulation took."""

    setting: Setting
    limit: RateLimit
    load: float
    waits: dict[str, Wait]
    fairness: list[Window]
    fullest: int
    shops_a_sweep: int
    at_midnight: int
    most_due: int
    most_messages: int
    looks: float
    creating: float
    most_creating: int
    following: float
    running: float
    retried: int
    seconds: float
    steps: int


def days(settings: Sequence[Setting]) -> list[Day]:
    """Play them, as many at once as there are cores."""
    cores = len(os.sched_getaffinity(0))
    # Not forked: this process has threads.
    with ProcessPoolExecutor(cores, mp_context=get_context("spawn")) as pool:
        return list(pool.map(play, settings))


def play(setting: Setting) -> Day:
    """Play one day, and on until everything that it ordered has been sent."""
    began = time.perf_counter()
    shops = clients(setting.shops, setting.images)
    service = setting.service()
    simulation = Play(
        service, OUTSIDE, shops, orders(shops, swing=setting.swing), fair=setting.fair
    )
    diary = simulation.run()
    claims = diary.claims
    weights = {shop.id: shop.weight for shop in shops}
    late = sum(at > DAY for at in claims.at)
    return Day(
        setting=setting,
        limit=service.limit,
        load=len(claims) / DAY / simulation.slots.rate,
        waits={name: Wait.of(claims.waits(ids)) for name, ids in by_size(shops).items()}
        | {"all": Wait.of(claims.waits())},
        fairness=windows(diary, weights, STRETCH),
        fullest=_fullest(claims.at, service.limit),
        shops_a_sweep=_most_shops(claims, service.sweep_interval),
        at_midnight=late,
        most_due=diary.most_due,
        most_messages=diary.most_messages,
        looks=diary.looks / len(claims),
        creating=diary.creating / DAY,
        most_creating=diary.most_creating,
        following=diary.following / DAY,
        running=diary.running / DAY,
        retried=diary.retried,
        seconds=time.perf_counter() - began,
        steps=diary.steps,
    )


def _fullest(moments: Sequence[float], limit: RateLimit) -> int:
    """Arrivals may be as much closer than grants as a grant is old when it is used."""
    first = most = 0
    for last, moment in enumerate(moments):
        while moments[first] <= moment - limit.window:
            first += 1
        most = max(most, last - first + 1)
    return most


def _most_shops(claims: Claims, seconds: float) -> int:
    shops: dict[int, set[int]] = defaultdict(set)
    for at, shop in zip(claims.at, claims.shop, strict=True):
        shops[int(at // seconds)].add(shop)
    return max(len(some) for some in shops.values())
