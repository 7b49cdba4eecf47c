"""POST /api/image-optimization/jobs/<id>/cancel and …/items/<id>/cancel."""

from typing import Any

import structlog

from api import cancel_examples, current
from api.jobs import read
from api.openapi import Blueprint
from api.order_schemas import JobDetailSchema
from models import cancellation
from models.cancellation import Canceled

log = structlog.get_logger(__name__)

blp = Blueprint("cancel", "/api/image-optimization/jobs", "Cancel jobs and images.", private=True)

Answer = tuple[dict[str, Any], int]
ASKED = "Some images were sent already: Replicate is asked, and its answer decides."


@blp.route("/<id:job_id>/cancel", methods=["POST"])
@blp.response(200, JobDetailSchema, example=cancel_examples.CANCELED)
@blp.alt_response(
    202, schema=JobDetailSchema, description=ASKED, example=cancel_examples.ASKED, success=True
)
@blp.refuses(404, 409)
def cancel_job(job_id: int) -> Answer:
    """Cancel what is left of a job.

    Images that wait are canceled at once, and their credits given back. For those that were sent
    Replicate is asked: a result that was faster is kept, and one that Replicate ends while it makes
    it costs its credits. Finished images stay as they are. Takes no body.
    """
    return _answer(job_id, cancellation.cancel_job(current.instance(), job_id))


@blp.route("/<id:job_id>/items/<id:item_id>/cancel", methods=["POST"])
@blp.response(200, JobDetailSchema, example=cancel_examples.CANCELED)
@blp.alt_response(
    202, schema=JobDetailSchema, description=ASKED, example=cancel_examples.ASKED, success=True
)
@blp.refuses(404, 409)
def cancel_item(job_id: int, item_id: int) -> Answer:
    """Cancel one image of a job, by the same rules as a whole job."""
    return _answer(job_id, cancellation.cancel_item(current.instance(), job_id, item_id))


def _answer(job_id: int, canceled: Canceled) -> Answer:
    structlog.contextvars.bind_contextvars(job=job_id)
    log.info("cancel", canceled=canceled.canceled, asked=canceled.asked)
    ask(canceled)
    return read(job_id).shown, 202 if canceled.asked else 200


def ask(canceled: Canceled) -> None:
    """Have Replicate asked now. With a broker that hangs each message takes half a second: the
    first that it does not take is the last, and the sweep asks."""
    for attempt_id, number in canceled.checks:
        if not current.parts().waker.follow(attempt_id, number):
            break
