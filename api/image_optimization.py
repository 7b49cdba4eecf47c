"""POST /api/image-optimization: order the optimization of a product's images."""

from typing import Any

import structlog

from api import current, examples
from api.openapi import TEXT, Blueprint
from api.option_schemas import price_list
from api.order_schemas import JobOrderSchema
from api.schemas import IdempotencyHeaders, ReceiptSchema
from models import lifecycle
from models.orders import JobOrder, Receipt

log = structlog.get_logger(__name__)

blp = Blueprint("image-optimization", "/api/image-optimization", "Optimize images.", private=True)

HEADERS = {
    "Location": {"description": "Where the job can be followed.", "schema": TEXT},
    "Idempotent-Replayed": {
        "description": "`true` when this answer was given before, for the same Idempotency-Key.",
        "schema": TEXT,
    },
}


@blp.route("", methods=["POST"])
@blp.arguments(JobOrderSchema, example=examples.ORDER)
@blp.arguments(IdempotencyHeaders, location="headers")
@blp.response(201, ReceiptSchema, example=examples.RECEIPT, headers=HEADERS)
@blp.refuses(402, 409, 413, 415, 422)
def submit_job(order: JobOrder, headers: dict[str, Any]) -> tuple[Receipt, dict[str, str]]:
    """Start optimizing the images of one product.

    Every image costs credits at once, by its model and resolution (`/api/models`); too few of them
    change nothing. An image of uploads whose result is there already is given at once, for free.
    """
    reuse_for = current.settings().reuse_results_for
    receipt = lifecycle.submit(
        current.instance(), order, price_list(), headers.get("key"), reuse_for
    )
    return announced(receipt)


def announced(receipt: Receipt) -> tuple[Receipt, dict[str, str]]:
    """The answer to an order, once the workers were told of it."""
    _announce(receipt)
    return receipt, _headers(receipt)


def _announce(receipt: Receipt) -> None:
    """Tell the workers, once the job is committed; a replay was told of before.

    From here on every line of this request carries the job, as the workers' lines do.
    """
    structlog.contextvars.bind_contextvars(job=receipt.job.id)
    if receipt.replayed:
        log.info("job replayed")
    else:
        log.info("job submitted", images=receipt.job.total_images, credits=receipt.credits_used)
        current.parts().waker.wake_workers(receipt.job.id, receipt.job.waiting)


def _headers(receipt: Receipt) -> dict[str, str]:
    location = {"Location": current.url(f"/api/image-optimization/jobs/{receipt.job.id}")}
    return location | ({"Idempotent-Replayed": "true"} if receipt.replayed else {})
