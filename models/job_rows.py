"""Jobs and their images as they are read: the columns that are told to shops, as plain values.

An object of the session costs ten times as much to make, and is of no use to who only reads.
"""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select

from models.explanations import EXPLANATIONS
from models.tables import ITEMS, JOBS, Status


class JobRow(NamedTuple):
    """A job. `retried_by`, the job that is a retry of it, is told where one job is read."""

    id: int
    product_id: str
    product_name: str
    status: Status
    total_images: int
    completed_images: int
    failed_images: int
    canceled_images: int
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    version: int
    batch_id: int | None
    retry_of: int | None
    retried_by: int | None = None


class ItemRow(NamedTuple):
    """An image of a job."""

    id: int
    job_id: int
    image_id: str
    image_url: str
    prompt: str
    aspect_ratio: str
    output_format: str
    quality: int | None
    model: str
    resolution: str | None
    reference_urls: list[str]
    status: Status
    result_key: str | None
    stored_key: str | None
    error: str | None
    error_code: str | None
    credits: int
    refunded: bool
    created_at: datetime
    updated_at: datetime
    cancel_requested_at: datetime | None

    @property
    def credits_charged(self) -> int:
        """What it cost its instance in the end."""
        return 0 if self.refunded else self.credits

    @property
    def reused(self) -> bool | None:
        """Set where its result was made before, for another image."""
        return True if self.stored_key else None

    @property
    def retryable(self) -> bool | None:
        """Of a failed one: whether to order the same again makes sense."""
        return EXPLANATIONS[self.error_code].retry if self.error_code else None


_later = JOBS.alias()
RETRIED_BY = (
    select(_later.c.id).where(_later.c.retry_of == JOBS.c.id).scalar_subquery().label("retried_by")
)
JOB = tuple(JOBS.c[name] for name in JobRow._fields if name != "retried_by")
ITEM = tuple(ITEMS.c[name] for name in ItemRow._fields)
