"""The shapes of batches, in camelCase."""

from collections.abc import Iterator
from typing import Any

from flask import g
from marshmallow import fields, post_load, pre_load, validate

from api import current
from api.examples import JOB, ORDER, PROGRESS
from api.fields import Digits, Few, Moment, own_path
from api.order_schemas import JobOrderSchema
from api.schemas import MOST_IMAGES, JobSchema, ProgressSchema, Shape
from models import uploads
from models.batch_orders import BatchOrder
from models.image_models import MOST_REFERENCES
from models.tables import Status

MOST_JOBS = 100


class BatchOrderSchema(Shape):
    """Up to 100 jobs: all of them are taken, and charged together, or none."""

    jobs = Few(fields.Nested(JobOrderSchema), MOST_JOBS, required=True)

    @pre_load
    def _look_uploads_up(self, data: Any, **_: Any) -> Any:
        """All at once: there may be thousands, each of which is checked where it stands."""
        keys = uploads.keys_of(map(own_path, _addresses(data)))
        g.own_uploads = uploads.usable(current.instance(), keys) if keys else frozenset()
        return data

    @post_load
    def _to_order(self, data: dict[str, Any], **_: Any) -> BatchOrder:
        return BatchOrder(tuple(data["jobs"]))


class BatchSchema(Shape):
    """A batch as it was when it was created."""

    id = fields.Integer(required=True, metadata={"minimum": 1})
    total_jobs = fields.Integer(required=True, metadata={"minimum": 1, "maximum": MOST_JOBS})
    total_images = fields.Integer(required=True, metadata={"minimum": 1})
    created_at = Moment(required=True)


class BatchReceiptSchema(Shape):
    """What was ordered and what all of it cost; the jobs in their order."""

    success = fields.Constant(True, metadata={"type": "boolean", "enum": [True]})
    batch = fields.Nested(BatchSchema, required=True)
    jobs = fields.List(fields.Nested(JobSchema), required=True)
    credits_used = fields.Integer(required=True)
    credits_remaining = fields.Integer(required=True)


class BatchProgressSchema(BatchSchema):
    """A batch with what became of its jobs. It is DONE once all of them have ended, and one image
    is there."""

    status = fields.String(required=True, validate=validate.OneOf(list(Status)))
    completed_images = fields.Integer(required=True)
    failed_images = fields.Integer(required=True)
    canceled_images = fields.Integer(required=True)
    finished_at = Moment()


class BatchDetailSchema(Shape):
    """A batch and its jobs, in the order in which they were submitted."""

    batch = fields.Nested(BatchProgressSchema, required=True)
    jobs = fields.List(fields.Nested(ProgressSchema), required=True)


class BatchesQuery(Shape):
    """Which batches to list."""

    limit = Digits(load_default=20, validate=validate.Range(min=1, max=100))
    cursor = fields.String(
        validate=validate.Length(min=1, max=200),
        metadata={"description": "The `nextCursor` of the page before."},
    )


class BatchPageSchema(Shape):
    """A page of batches, newest first. `nextCursor` is null on the last one."""

    batches = fields.List(fields.Nested(BatchProgressSchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


BATCH = {"id": 3, "totalJobs": 1, "totalImages": 2, "createdAt": "2026-01-31T09:30:00.000Z"}
BATCH_ORDER = {"jobs": [ORDER]}
BATCH_RECEIPT = {
    "success": True,
    "batch": BATCH,
    "jobs": [JOB | {"batchId": 3}],
    "creditsUsed": 30,
    "creditsRemaining": 120,
}
BATCH_PROGRESS = BATCH | {
    "status": "DONE",
    "completedImages": 1,
    "failedImages": 1,
    "canceledImages": 0,
    "finishedAt": "2026-01-31T09:30:20.500Z",
}
BATCH_DETAIL = {"batch": BATCH_PROGRESS, "jobs": [PROGRESS | {"batchId": 3}]}
BATCH_PAGE = {"batches": [BATCH_PROGRESS], "nextCursor": None}


def _addresses(data: Any) -> Iterator[str]:
    """Every address in a batch that nothing is known of yet, and that is not too many anyway."""
    for job in _list(data, "jobs")[:MOST_JOBS]:
        for image in filter(_is, _list(job, "images")[:MOST_IMAGES]):
            references = _list(image, "referenceImageUrls")[:MOST_REFERENCES]
            some = [image.get("imageUrl"), *references]
            yield from (url for url in some if isinstance(url, str))


def _list(data: Any, name: str) -> list[Any]:
    found = data.get(name) if _is(data) else None
    return found if isinstance(found, list) else []


def _is(data: Any) -> bool:
    return isinstance(data, dict)
