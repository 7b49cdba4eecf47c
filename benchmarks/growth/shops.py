"""What shops ask for, over the whole of the API but for the network: the large shop, which has half
of all images, and a small one."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from flask import g
from sqlalchemy import select

from api import cursors
from benchmarks.growth.blocks import LARGE_SHOP, RESTING, RUNNING
from benchmarks.growth.operation import Operation, Part
from benchmarks.growth.sides import Side
from models.database import db
from models.tables import CreditEntry, Job

ORDERS = "/api/image-optimization"
JOBS = f"{ORDERS}/jobs"
ENTRIES = "/api/credits/entries"


def submit(side: Side, shop: int, images: int) -> int:
    """Order so many images; return the job's id."""
    ordered = [
        {"imageId": f"{n}", "imageUrl": f"https://shop.example/{n}.jpg", "prompt": "On slate"}
        for n in range(images)
    ]
    body = {"productId": "cup", "productName": "The cup", "images": ordered}
    receipt: dict[str, Any] = side.order(shop, ORDERS, body).get_json()
    return int(receipt["job"]["id"])


def _cancel(side: Side, job: int) -> object:
    return side.order(LARGE_SHOP, f"{JOBS}/{job}/cancel")


def _order_ten(side: Side, _given: object = None) -> int:
    return submit(side, LARGE_SHOP, 10)


def _order_one(side: Side, _given: object) -> int:
    return submit(side, side.small_shop, 1)


def _large(side: Side, path: str) -> object:
    return side.ask(LARGE_SHOP, path)


def _small(side: Side, path: str) -> object:
    return side.ask(side.small_shop, path)


def _at(path: str, **query: object) -> Callable[[Side], str]:
    whole = f"{path}?{urlencode(query)}" if query else path
    return lambda _side: whole


def _from_the_middle(path: str, kind: str, table: Any) -> Callable[[Side], str]:
    """Behind the middle of the large shop's rows, a page as its app would go on to it."""

    def at(side: Side) -> str:
        with side.app.test_request_context():
            g.instance = LARGE_SHOP
            own = select(table.id).where(table.instance_id == LARGE_SHOP).order_by(table.id)
            middle = db.session.scalars(own.offset(side.scale.blocks).limit(1)).one()
            cursor = cursors.write(kind, middle)
        return f"{path}?{urlencode({'limit': 20, 'cursor': cursor})}"

    return at


def _ended_job(side: Side) -> str:
    return f"{JOBS}/{side.job(side.scale.ended // 4 * 2)}"


def _next_job(side: Side) -> str:
    """The first of the large shop's second block that waits: it is told its place."""
    first = side.scale.ended + RESTING + RUNNING
    return f"{JOBS}/{side.job(first + first % 2 + 2)}"


def _last_job(side: Side) -> str:
    last = side.scale.blocks - 1
    return f"{JOBS}/{side.job(last - last % 2)}"


SHOPS = (
    Operation("order of 10 images", Part.SHOPS, _order_ten, after=_cancel),
    Operation("order of 1 image, small shop", Part.SHOPS, _order_one),
    Operation("cancel of 10 images", Part.SHOPS, _cancel, before=_order_ten),
    Operation("newest 20 jobs", Part.SHOPS, _large, _at(JOBS, limit=20)),
    Operation("newest 20 jobs, small shop", Part.SHOPS, _small, _at(JOBS, limit=20)),
    Operation("20 jobs in the middle", Part.SHOPS, _large, _from_the_middle(JOBS, "jobs", Job)),
    Operation("20 failed jobs", Part.SHOPS, _large, _at(JOBS, limit=20, status="FAILED")),
    Operation("job that has ended", Part.SHOPS, _large, _ended_job),
    Operation("job that is sent soon", Part.SHOPS, _large, _next_job),
    Operation("job that waits behind all", Part.SHOPS, _large, _last_job),
    Operation("the shop's queue", Part.SHOPS, _large, _at("/api/queue")),
    Operation("analytics", Part.SHOPS, _large, _at("/api/analytics")),
    Operation("analytics, small shop", Part.SHOPS, _small, _at("/api/analytics")),
    Operation("newest 20 credit entries", Part.SHOPS, _large, _at(ENTRIES, limit=20)),
    Operation(
        "20 entries in the middle", Part.SHOPS, _large,
        _from_the_middle(ENTRIES, "entries", CreditEntry),
    ),
    Operation("newest 20 webhooks", Part.SHOPS, _large, _at("/api/webhook-deliveries", limit=20)),
)  # fmt: skip
