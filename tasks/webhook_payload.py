"""What a webhook says: the event, when it happened, and the job or the image that it is about.

It is made from rows that do not change any more, so every try says the same. Of a job whose images
are not all final only what was ordered is told: its progress would be another at each try.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from config.settings import Settings
from models.outgoing import TEST
from models.sending import Try
from models.tables import Item, Job
from models.uploads import key_of


def payload(sending: Try, settings: Settings) -> str | None:
    """Return the body as JSON; None when what it would tell of has been deleted."""
    data = _data(sending, settings)
    if data is None:
        return None
    happened = _moment(sending.happened_at)
    document = {"type": sending.event, "timestamp": happened, "data": data}
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))


def _data(sending: Try, settings: Settings) -> Mapping[str, Any] | None:
    if sending.event == TEST:
        return {"endpointId": sending.endpoint_id}
    if sending.job is None:
        return None
    if sending.event.startswith("job."):
        return {"job": _job(sending.job) | _progress(sending.job)}
    if sending.item is None:
        return None
    return {"job": _job(sending.job), "item": _item(sending.item, settings)}


def _job(job: Job) -> dict[str, Any]:
    return _set(
        id=job.id,
        productId=job.product_id,
        productName=job.product_name,
        totalImages=job.total_images,
        retryOf=job.retry_of,
        createdAt=_moment(job.created_at),
    )


def _progress(job: Job) -> dict[str, Any]:
    return _set(
        status=job.status,
        completedImages=job.completed_images,
        failedImages=job.failed_images,
        canceledImages=job.canceled_images,
        startedAt=_moment(job.started_at),
        finishedAt=_moment(job.finished_at),
    )


def _item(item: Item, settings: Settings) -> dict[str, Any]:
    key = item.result_key
    return _set(
        id=item.id,
        imageId=item.image_id,
        imageUrl=_source(item.image_url, settings),
        prompt=item.prompt,
        aspectRatio=item.aspect_ratio,
        outputFormat=item.output_format,
        quality=item.quality,
        model=item.model,
        resolution=item.resolution,
        referenceImageUrls=[_source(url, settings) for url in item.reference_urls],
        status=item.status,
        optimizedImageUrl=key and f"{settings.public_base_url}/results/{key}",
        error=item.error,
        errorCode=item.error_code,
        retryable=item.retryable,
        creditsCharged=item.credits_charged,
        createdAt=_moment(item.created_at),
        updatedAt=_moment(item.updated_at),
    )


def _source(url: str, settings: Settings) -> str:
    """As the API tells it: an upload is at an address of ours."""
    return settings.public_base_url + url if key_of(url) else url


def _set(**facts: Any) -> dict[str, Any]:
    """As in the API's answers, what is not set is absent."""
    return {name: value for name, value in facts.items() if value is not None}


def _moment(moment: datetime | None) -> str | None:
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
