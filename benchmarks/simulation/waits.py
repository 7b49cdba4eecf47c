"""How long images waited for their claim, by the size of their shop."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from benchmarks.rounds import percentile
from benchmarks.simulation.world import Client

# Images that day: up to so many makes a shop small, up to the second one middle.
SMALL, MIDDLE = 30, 1000
CLASSES = ("small", "middle", "large")


def size_of(client: Client) -> str:
    """The class of a shop."""
    if client.size <= SMALL:
        return "small"
    return "middle" if client.size <= MIDDLE else "large"


def by_size(clients: Iterable[Client]) -> dict[str, frozenset[int]]:
    """The ids of the shops of each class."""
    sorted_out: dict[str, set[int]] = {name: set() for name in CLASSES}
    for client in clients:
        sorted_out[size_of(client)].add(client.id)
    return {name: frozenset(ids) for name, ids in sorted_out.items()}


@dataclass(frozen=True, slots=True)
class Wait:
    """Seconds from becoming due to the claim: of half, of 95 and of 99 % of the images not more."""

    images: int
    p50: float
    p95: float
    p99: float
    most: float

    @classmethod
    def of(cls, waits: Sequence[float]) -> "Wait":
        """Of these; without any all are 0."""
        ranked = sorted(waits) or [0.0]
        p50, p95, p99 = (percentile(ranked, part) for part in (0.5, 0.95, 0.99))
        return cls(len(waits), p50, p95, p99, ranked[-1])
