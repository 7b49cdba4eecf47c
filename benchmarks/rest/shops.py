"""The shops of the benchmark: their tokens, their jobs, and the requests that they send."""

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select, update

from models import accounts, ledger, lifecycle
from models.database import db
from models.orders import ImageOrder, JobOrder
from models.tables import Instance, Item, Job, Status

IMAGES = 10
PRICE = 15
RICH = 10**10
PROMPT = "white background, brighter, a soft shadow below"


@dataclass(frozen=True)
class Shop:
    """An instance with its token and some jobs."""

    id: int
    token: str
    jobs: tuple[int, ...]

    def request(
        self, method: str, path: str, body: str = "", headers: Mapping[str, str] | None = None
    ) -> str:
        """The whole text of a request of this shop's."""
        fields = {"Host": "localhost", "Authorization": f"Bearer {self.token}", **(headers or {})}
        if body:
            fields |= {"Content-Type": "application/json", "Content-Length": f"{len(body)}"}
        lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {it}" for name, it in fields.items())]
        return "\r\n".join([*lines, "", body])


def open_shops(kind: str, number: int, jobs: int) -> list[Shop]:
    """Open so many shops, each with so many jobs that wait; within an application context."""
    return [_open(f"{kind} {n}", jobs) for n in range(number)]


def finish(shops: Sequence[Shop]) -> None:
    """Make all jobs of these shops DONE, as they would be a while later."""
    ids = [shop.id for shop in shops]
    with db.session() as session, session.begin():
        due = session.scalars(select(Item.id).where(Item.instance_id.in_(ids))).all()
        session.execute(update(Item), [_result(item_id) for item_id in due])
        done = {
            "status": Status.DONE, "completed_images": Job.total_images,
            "started_at": Job.created_at, "finished_at": Job.created_at,
            "version": Job.version + 2 * IMAGES,
        }  # fmt: skip
        session.execute(update(Job).where(Job.instance_id.in_(ids)).values(**done))
        session.execute(update(Instance).where(Instance.id.in_(ids)).values(due_items=0))


def body() -> str:
    """An order of ten images, as JSON."""
    images = [{"imageId": f"cup-{n}", "imageUrl": _url(n), "prompt": PROMPT} for n in range(IMAGES)]
    return json.dumps({"productId": "cup", "productName": "The blue cup", "images": images})


def _open(name: str, jobs: int) -> Shop:
    instance, token = accounts.create(name, "enterprise")
    ledger.grant(instance.id, RICH, f"benchmark:{name}")
    images = tuple(ImageOrder(f"cup-{n}", _url(n), PROMPT) for n in range(IMAGES))
    order = JobOrder("cup", "The blue cup", images)
    receipts = [lifecycle.submit(instance.id, order, PRICE) for _ in range(jobs)]
    return Shop(instance.id, token, tuple(receipt.job.id for receipt in receipts))


def _result(item_id: int) -> dict[str, object]:
    return {
        "id": item_id,
        "status": Status.DONE,
        "result_key": f"{secrets.token_hex(16)}.jpg",
        "result_type": "image/jpeg",
    }


def _url(n: int) -> str:
    return f"https://static.shop.example/media/8bb438_4d5f6a7b/cup-{n}.jpg"
