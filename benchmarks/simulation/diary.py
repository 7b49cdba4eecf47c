"""What happened in a run, simulated or real, in so little memory that a million images fit."""

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from benchmarks.simulation.world import Order

# Of a claim that is not an image's first: it waited as a retry, which is no wait in the queue.
RETRY = -1.0


@dataclass
class Claims:
    """The claims in their order: when, whose, and how long that image had been due (see RETRY)."""

    at: "array[float]" = field(default_factory=lambda: array("d"))
    shop: "array[int]" = field(default_factory=lambda: array("l"))
    waited: "array[float]" = field(default_factory=lambda: array("d"))
    batch: bytearray = field(default_factory=bytearray)

    def add(self, at: float, shop: int, waited: float, batch: bool = False) -> None:
        """Write one down."""
        self.at.append(at)
        self.shop.append(shop)
        self.waited.append(waited)
        self.batch.append(batch)

    def __len__(self) -> int:
        return len(self.at)

    def waits(self, shops: frozenset[int] | None = None) -> list[float]:
        """How long first claims were waited for: of all shops, or of these."""
        pairs = zip(self.shop, self.waited, strict=True)
        return [
            waited for shop, waited in pairs if waited != RETRY and (shops is None or shop in shops)
        ]


@dataclass
class Diary:
    """`due`: when images of whom became due, retries too. Seconds are summed up over all images:
    threads held by creates, by following, and predictions that ran at Replicate."""

    claims: Claims = field(default_factory=Claims)
    due: list[tuple[float, int, int]] = field(default_factory=list)
    creating: float = 0.0
    running: float = 0.0
    following: float = 0.0
    looks: int = 0
    most_creating: int = 0
    most_messages: int = 0
    most_due: int = 0
    retried: int = 0
    failed: int = 0
    steps: int = 0

    def ordered(self, orders: Sequence[Order]) -> None:
        """Write down orders that became due when they were made."""
        self.due += [(each.at, each.shop, each.images) for each in orders]

    @property
    def ended(self) -> float:
        """When the last image was claimed."""
        return self.claims.at[-1] if len(self.claims) else 0.0

    def pairs(self) -> Iterator[tuple[float, int]]:
        """When and whose, claim by claim."""
        return zip(self.claims.at, self.claims.shop, strict=True)
