"""POST /api/image-optimization/batch: many jobs at once; and …/batches, what became of them."""

from typing import Any

import structlog

from api import current, cursors
from api.batch_schemas import (
    BATCH_DETAIL,
    BATCH_ORDER,
    BATCH_PAGE,
    BATCH_RECEIPT,
    BatchDetailSchema,
    BatchesQuery,
    BatchOrderSchema,
    BatchPageSchema,
    BatchReceiptSchema,
)
from api.etags import revalidate
from api.image_optimization import HEADERS
from api.openapi import CACHING, IF_NONE_MATCH, Blueprint
from api.option_schemas import price_list
from api.schemas import IdempotencyHeaders
from api.waiting import facts, line_of
from models import batches
from models.batch_orders import BatchOrder, BatchReceipt

log = structlog.get_logger(__name__)

blp = Blueprint("batches", "/api/image-optimization", "Optimize many products.", private=True)

# 1,000 images with an address and a prompt of 4 kB together: what none of them needs.
LARGEST_BODY = 4 * 2**20


@blp.route("/batch", methods=["POST"])
@blp.arguments(BatchOrderSchema, example=BATCH_ORDER)
@blp.arguments(IdempotencyHeaders, location="headers")
@blp.response(201, BatchReceiptSchema, example=BATCH_RECEIPT, headers=HEADERS)
@blp.refuses(402, 409, 413, 415, 422)
def submit_batch(order: BatchOrder, headers: dict[str, Any]) -> tuple[BatchReceipt, dict[str, str]]:
    """Start optimizing the images of up to 100 products.

    All jobs are taken, for one charge, or none: one wrong image, or one credit too few, changes
    nothing. The body may have 4 MiB.
    """
    reuse_for = current.settings().reuse_results_for
    receipt = batches.submit(current.instance(), order, price_list(), headers.get("key"), reuse_for)
    _announce(receipt)
    return receipt, _headers(receipt)


@blp.route("/batches", parameters=[IF_NONE_MATCH])
@blp.arguments(BatchesQuery, location="query")
@blp.response(200, BatchPageSchema, example=BATCH_PAGE, headers=CACHING)
@blp.refuses(304)
def list_batches(query: dict[str, Any]) -> dict[str, Any]:
    """List batches, newest first."""
    cursor, limit = query.get("cursor"), query["limit"]
    before = int(cursors.read("batches", cursor)) if cursor else None
    found = batches.page(current.instance(), before, limit + 1)
    page, more = found[:limit], found[limit:]
    next_cursor = cursors.write("batches", page[-1].id) if more else None
    revalidate(query, next_cursor, *((each.id, each.version) for each in page))
    return {"batches": page, "next_cursor": next_cursor}


@blp.route("/batches/<id:batch_id>", parameters=[IF_NONE_MATCH])
@blp.response(200, BatchDetailSchema, example=BATCH_DETAIL, headers=CACHING)
@blp.refuses(304, 404)
def show_batch(batch_id: int) -> dict[str, Any]:
    """Show a batch with its progress, and its jobs."""
    batch, jobs = batches.one(current.instance(), batch_id)
    line = line_of(jobs)
    revalidate(batch.id, len(jobs), batch.version, *facts(line.jobs))
    return {"batch": batch, "jobs": [line.with_job(job) for job in jobs]}


def _announce(receipt: BatchReceipt) -> None:
    """Tell the workers, once the batch is committed; a replay was told of before."""
    batch = receipt.batch
    structlog.contextvars.bind_contextvars(batch=batch.id)
    if receipt.replayed:
        log.info("batch replayed")
        return
    log.info("batch submitted", jobs=batch.total_jobs, images=batch.total_images,
             credits=receipt.credits_used)  # fmt: skip
    current.parts().waker.wake_for_batch(batch.id, receipt.waiting)


def _headers(receipt: BatchReceipt) -> dict[str, str]:
    location = {"Location": current.url(f"/api/image-optimization/batches/{receipt.batch.id}")}
    return location | ({"Idempotent-Replayed": "true"} if receipt.replayed else {})
