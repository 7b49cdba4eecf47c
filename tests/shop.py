"""Alice, Bob and Charlie: the shops of the tests, and what they order."""

from models import accounts, ledger, lifecycle
from models.orders import ImageOrder, JobOrder, Receipt
from models.tables import EntryKind

PRICE = 15
DEADLINE = 600.0


def open_shop(name: str, credits: int | None = None) -> int:
    """Create an instance and return its id; `credits` replaces what its plan gave it."""
    instance, _token = accounts.create(name, "pro")
    if credits is not None:
        ledger.grant(instance.id, credits - instance.balance, f"test:{name}")
    return instance.id


def order(images: int = 1, product: str = "cup") -> JobOrder:
    """An order of so many images."""
    return JobOrder(
        product_id=product,
        product_name=f"The {product}",
        images=tuple(
            ImageOrder(f"{product}-{n}", f"https://shop.example/{product}/{n}.jpg", "brighter")
            for n in range(images)
        ),
    )


def submit(shop: int, images: int = 1, key: str | None = None, product: str = "cup") -> Receipt:
    """Submit a job of so many images."""
    return lifecycle.submit(shop, order(images, product), PRICE, key)


def refunds(shop: int) -> list[str]:
    """The references of everything that was ever refunded to a shop."""
    booked = ledger.entries(shop, limit=100_000)
    return sorted(each.reference for each in booked if each.kind == EntryKind.REFUND)
