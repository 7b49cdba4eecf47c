"""How fast batches are sent, of which not all messages are in the queue: the sweep fills it up."""

from dataclasses import dataclass

from benchmarks.simulation.play import Play
from benchmarks.simulation.world import Client, Order, Outside, Service
from config.forms import RateLimit
from tasks.wake import enough

SHOPS, IMAGES = 20, 1000


@dataclass(frozen=True, slots=True)
class Refill:
    """The part of the possible rate that twenty batches of 1,000 get, and what the queue is filled
    up to."""

    limit: RateLimit
    messages: int
    part: float


def refill(per_window: int) -> Refill:
    """Send them at this limit in 30 s, with workers enough."""
    limit = RateLimit(per_window, 30.0)
    service = Service(limit, spacing=28.0 / per_window, processes=50)
    shops = [Client(id) for id in range(1, SHOPS + 1)]
    orders = [Order(0.0, shop.id, IMAGES, batch=True) for shop in shops]
    game = Play(service, Outside(), shops, orders)
    claims = game.run().claims
    # The first half goes by the messages that came with the orders.
    half = len(claims) // 2
    part = half / game.slots.rate / (claims.at[-1] - claims.at[half - 1])
    return Refill(limit, enough(per_window / 30.0, service.sweep_interval), part)
