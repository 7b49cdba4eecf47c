"""Games that the tests of the simulation play."""

from typing import Any

from benchmarks.simulation.play import Play
from benchmarks.simulation.world import Client, Order, Outside, Service
from config.forms import RateLimit

QUICK = Service(RateLimit(50, 3.0), sweep_interval=2.0, claim=0.0)


def played(
    shops: list[Client], ordered: list[Order], service: Service = QUICK, **outside: Any
) -> Play:
    game = Play(service, Outside(**outside), shops, ordered)
    game.run()
    return game


def each_orders(images: int, *plans: str) -> tuple[list[Client], list[Order]]:
    """Shops on these plans, each of which orders so many images at once."""
    shops = [Client(number, plan) for number, plan in enumerate(plans, start=1)]
    return shops, [Order(0.0, shop.id, images) for shop in shops]
