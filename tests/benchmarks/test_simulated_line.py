"""The simulated line is the program's own: beside the real one, and beside another way to play."""

from collections import Counter
from collections.abc import Generator, Iterator
from random import Random
from typing import Any

import pytest
import simpy
from flask import Flask
from sqlalchemy import func, select

from benchmarks.simulation.line import FairLine, Standing
from benchmarks.simulation.slots import Slots
from benchmarks.simulation.world import Client, Order, Service, Uniform
from config.forms import RateLimit
from models import accounts, caps, ledger, lifecycle
from models.clock import now
from models.database import db
from models.places import Crowd, Turns, positions
from models.tables import Instance
from tests.benchmarks.played import each_orders, played
from tests.databases import bound
from tests.service import wait_until
from tests.shop import DEADLINE, submit


def test_a_shops_places_are_those_that_it_is_told() -> None:
    shops, ordered = each_orders(30, "free", "pro", "enterprise")
    game = played(shops, ordered)

    order = list(game.diary.claims.shop)
    mine = [place for place, shop in enumerate(order, start=1) if shop == 2]
    others = [Crowd(True, 30, 1, Turns(1, 1)), Crowd(False, 30, 1, Turns(4, 4))]

    assert mine == positions(others, 30, Turns(2, 2))


Step = tuple[str, int, int]


def some_steps(dice: Random) -> Iterator[Step]:
    """Orders, claims and ends, in any order."""
    for _ in range(40):
        yield "order", dice.randrange(4), dice.randint(1, 6)
        yield "claim", 0, dice.randint(0, 5)
        yield "end", 0, dice.randint(0, 8)
    yield "claim", 0, 200


PLANS = (("free", None), ("pro", None), ("enterprise", None), ("basic", 3))


def simulated(shops: list[Client], steps: list[Step]) -> list[int]:
    line, rows, served, running = FairLine(), [Standing(shop) for shop in shops], [], []
    for what, which, number in steps:
        if what == "order":
            line.add(rows[which], number)
        for _ in range(number if what == "claim" else 0):
            if shop := line.serve():
                served.append(shop.id)
                running.append(shop)
        for _ in range(min(number, len(running)) if what == "end" else 0):
            line.settle(running.pop(0))
    return served


def really(shops: list[Client], steps: list[Step]) -> list[int]:
    served, running = [], []
    for step, (what, which, number) in enumerate(steps):
        if what == "order":
            submit(shops[which].id, number, product=f"cup-{step}")
        for _ in range(number if what == "claim" else 0):
            if turn := lifecycle.claim_next(DEADLINE):
                served.append(turn.instance_id)
                running.append(turn.attempt_id)
                wait_until(the_clock_has_moved_on, "the next millisecond", every=0.0005)
        for _ in range(min(number, len(running)) if what == "end" else 0):
            attempt = running.pop(0)
            lifecycle.finish(attempt, f"key-{attempt}", "image/jpeg")
    return served


def the_clock_has_moved_on() -> bool:
    """Two claims within one millisecond of SQLite's clock leave no trace of which came first."""
    moved_on = select(func.max(Instance.last_served) < now())
    found = bool(db.session.scalar(moved_on))
    db.session.rollback()
    return found


@pytest.fixture
def app(sqlite_database: str) -> Iterator[Flask]:
    with bound(sqlite_database) as app, app.app_context():
        yield app


def test_the_simulated_line_is_the_programs_own(app: Flask) -> None:
    shops = []
    for number, (plan, cap) in enumerate(PLANS):
        instance, _token = accounts.create(f"shop-{number}", plan)
        ledger.grant(instance.id, 100_000, f"test:{number}")
        caps.set_caps(instance.name, cap, None)
        shops.append(Client(instance.id, plan, cap=cap))
    steps = list(some_steps(Random(7)))

    order = really(shops, steps)

    assert simulated(shops, steps) == order
    assert min(Counter(order).values()) > 9


class Naive:
    """The same service in simpy: everybody's row is looked at for each claim."""

    def __init__(self, service: Service, shops: list[Client], ordered: list[Order]) -> None:
        self.world = simpy.Environment()
        self.service = service
        self.weights = {shop.id: shop.weight for shop in shops}
        self.due: dict[int, int] = dict.fromkeys(self.weights, 0)
        self.served: dict[int, int] = dict.fromkeys(self.weights, 0)
        self.left: dict[int, int] = dict.fromkeys(self.weights, 0)
        self.threads = simpy.Resource(self.world, service.processes * service.threads)
        self.claims: list[tuple[float, int]] = []
        self.come = self.world.event()
        for order in ordered:
            self.world.process(self.order(order))
        self.world.process(self.work(Slots(service.limit, service.spacing)))

    def order(self, order: Order) -> Generator[simpy.Event, Any, None]:
        yield self.world.timeout(order.at)
        self.due[order.shop] += order.images
        if not self.come.triggered:
            self.come.succeed()

    def work(self, slots: Slots) -> Generator[simpy.Event, Any, None]:
        while True:
            if not any(self.due.values()):
                self.come = self.world.event()
                yield self.come
            thread = self.threads.request()
            yield thread
            yield self.world.timeout(max(0.0, slots.free_from() - self.world.now))
            slots.take(self.world.now)
            self.claim()
            self.world.process(self.create(thread))

    def claim(self) -> None:
        waiting = [shop for shop, due in self.due.items() if due]
        shop = min(waiting, key=lambda each: (self.served[each], each))
        self.due[shop] -= 1
        self.claims.append((self.world.now, shop))
        self.left[shop] = (self.left[shop] or self.weights[shop]) - 1
        if not self.left[shop] or not self.due[shop]:
            self.left[shop], self.served[shop] = 0, len(self.claims)

    def create(self, thread: Any) -> Generator[simpy.Event, Any, None]:
        yield self.world.timeout(0.4)
        self.threads.release(thread)


@pytest.mark.parametrize(("processes", "spacing"), [(3, 0.0), (1, 0.02)])
def test_simpy_comes_to_the_same_claims(processes: int, spacing: float) -> None:
    dice = Random(3)
    shops = [Client(n, plan) for n, plan in enumerate(("free", "pro", "enterprise") * 3, start=1)]
    ordered = [
        Order(dice.uniform(0, 40), dice.randint(1, 9), dice.randint(1, 30)) for _ in range(60)
    ]
    service = Service(
        RateLimit(50, 3.0), spacing=spacing, processes=processes, threads=4, claim=0.0
    )

    game = played(shops, ordered, service, create=Uniform(0.4, 0.4))
    naive = Naive(service, shops, ordered)
    naive.world.run(until=200)

    assert [shop for _at, shop in naive.claims] == list(game.diary.claims.shop)
    assert [at for at, _shop in naive.claims] == pytest.approx(list(game.diary.claims.at))
