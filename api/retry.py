"""POST /api/image-optimization/jobs/<id>/retry: order a job's failed images once more."""

from typing import Any

from api import cancel_examples, current
from api.image_optimization import HEADERS, announced
from api.openapi import Blueprint
from api.option_schemas import price_list
from api.schemas import IdempotencyHeaders, ReceiptSchema
from models import retries
from models.orders import Receipt

blp = Blueprint("retry", "/api/image-optimization/jobs", "Retry jobs.", private=True)


@blp.route("/<id:job_id>/retry", methods=["POST"])
@blp.arguments(IdempotencyHeaders, location="headers")
@blp.response(201, ReceiptSchema, example=cancel_examples.RETRY, headers=HEADERS)
@blp.refuses(402, 404, 409, 422)
def retry_job(headers: dict[str, Any], job_id: int) -> tuple[Receipt, dict[str, str]]:
    """Order the failed images of a finished job once more, as a new job.

    It has the same product, prompts and options, is charged like any other, and names the old one
    (`retryOf`). A job is retried once: what fails again is retried as the new job. Takes no body.
    """
    return announced(retries.retry(current.instance(), job_id, price_list(), headers.get("key")))
