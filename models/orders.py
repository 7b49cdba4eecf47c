"""What goes in and out of the lifecycle, as plain values."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from enum import IntEnum
from typing import Any, NamedTuple, Self

from sqlalchemy import Row

from models.new_items import NewItem
from models.tables import Item, Job, Status


@dataclass(frozen=True, slots=True)
class ImageOrder:
    """One image that a shop wants optimized. Each field is a column of its item by the same name.

    `quality` (1 to 100, of a jpg) is that of the stored result; without it, and at the model's own
    `resolution`, the result is as the model made it.
    """

    image_id: str
    image_url: str
    prompt: str
    aspect_ratio: str = "match_input_image"
    output_format: str = "jpg"
    model: str = "google/nano-banana"
    resolution: str | None = None
    quality: int | None = None
    reference_urls: tuple[str, ...] = ()

    @classmethod
    def of(cls, item: Item) -> Self:
        """What was ordered as this item, to be ordered again."""
        facts = {name: getattr(item, name) for name in ORDER_COLUMNS}
        return cls(**facts | {"reference_urls": tuple(item.reference_urls)})


# An item's columns that its shop chose; all others tell what became of it.
ORDER_COLUMNS = tuple(field.name for field in fields(ImageOrder))

Pricing = int | Callable[[ImageOrder], int]
"""The credits of an image: the same for all, or told by its order."""


def price_of(image: ImageOrder, pricing: Pricing) -> int:
    """The credits of this image."""
    return pricing if isinstance(pricing, int) else pricing(image)


def input_urls(
    image_url: str, reference_urls: Sequence[str], sent_urls: Sequence[str] | None = None
) -> tuple[str, ...]:
    """The addresses that the model gets, the image's first: its own, or those sent instead."""
    return tuple(sent_urls or (image_url, *reference_urls))


@dataclass(frozen=True, slots=True)
class JobOrder:
    """1 to 10 images of one product, with distinct image ids. `reuse`: results that are there may
    be given again (`models.reuse`)."""

    product_id: str
    product_name: str
    images: tuple[ImageOrder, ...]
    reuse: bool = True

    def to_job(self, instance_id: int) -> dict[str, Any]:
        """The row of the job, not yet written."""
        return {
            "instance_id": instance_id,
            "product_id": self.product_id,
            "product_name": self.product_name,
            "total_images": len(self.images),
        }

    def urls(self) -> Iterator[str]:
        """Every address in it."""
        for image in self.images:
            yield from (image.image_url, *image.reference_urls)

    def cost(self, pricing: Pricing) -> int:
        """The credits of all of it."""
        return sum(price_of(image, pricing) for image in self.images)

    def to_items(self, instance_id: int, job_id: int, pricing: Pricing) -> list[NewItem]:
        """Its items, not yet written, in the order in which they were submitted."""
        return [
            NewItem(
                job_id,
                instance_id,
                position,
                price_of(image, pricing),
                **{name: getattr(image, name) for name in ORDER_COLUMNS},
            )
            for position, image in enumerate(self.images)
        ]


@dataclass(frozen=True, slots=True)
class JobRetry:
    """The wish that a job's failed images are made after all."""

    retry_of: int


@dataclass(frozen=True, slots=True)
class ReceiptJob:
    """A job as it was when it was created."""

    id: int
    product_id: str
    product_name: str
    status: str
    total_images: int
    completed_images: int
    failed_images: int
    created_at: datetime
    retry_of: int | None = None
    batch_id: int | None = None

    @property
    def waiting(self) -> int:
        """How many of its images were not there already."""
        return self.total_images - self.completed_images

    @classmethod
    def of(cls, job: Job) -> Self:
        """A job that was just written."""
        return cls(**{name: getattr(job, name) for name in cls.__dataclass_fields__})

    @classmethod
    def of_row(cls, row: dict[str, Any], job_id: int, created_at: datetime) -> Self:
        """A job of which this row was just written, under that id."""
        return cls(
            job_id,
            row["product_id"],
            row["product_name"],
            Status.PENDING,
            row["total_images"],
            completed_images=0,
            failed_images=0,
            created_at=created_at,
            retry_of=row["retry_of"],
            batch_id=row["batch_id"],
        )

    def to_json(self) -> dict[str, Any]:
        """As it is kept with an idempotency key."""
        return asdict(self) | {"created_at": self.created_at.isoformat()}

    @classmethod
    def from_json(cls, job: dict[str, Any]) -> Self:
        """The job that `to_json` kept, perhaps before there were all of these fields."""
        return cls(**job | {"created_at": datetime.fromisoformat(job["created_at"])})


@dataclass(frozen=True, slots=True)
class Receipt:
    """The answer to an order. `replayed`: it was given before, for the same `Idempotency-Key`."""

    job: ReceiptJob
    credits_used: int
    credits_remaining: int
    replayed: bool = False

    def to_json(self) -> dict[str, Any]:
        """As it is kept with the idempotency key."""
        used, remaining = self.credits_used, self.credits_remaining
        return {"job": self.job.to_json(), "used": used, "remaining": remaining}

    @classmethod
    def from_json(cls, answer: dict[str, Any]) -> Self:
        """The receipt that `to_json` kept, marked as replayed."""
        job = ReceiptJob.from_json(answer["job"])
        return cls(job, answer["used"], answer["remaining"], replayed=True)


@dataclass(frozen=True, slots=True)
class Turn:
    """An item whose turn it is, held by a new attempt that is about to create its prediction.

    `image_urls` are what Replicate is given. Where copies of the uploads `to_copy` are missing,
    nothing may be sent: they are made, and the turn is given up.
    """

    attempt_id: int
    reference: str
    item_id: int
    job_id: int
    instance_id: int
    model: str
    image_urls: tuple[str, ...]
    prompt: str
    aspect_ratio: str
    output_format: str
    resolution: str | None
    to_copy: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        attempt_id: int,
        reference: str,
        item: Row[Any],
        sent_urls: Sequence[str],
        to_copy: tuple[str, ...] = (),
    ) -> Self:
        """The turn of `item`."""
        return cls(
            attempt_id,
            reference,
            item.id,
            item.job_id,
            item.instance_id,
            item.model,
            input_urls(item.image_url, item.reference_urls, sent_urls),
            item.prompt,
            item.aspect_ratio,
            item.output_format,
            item.resolution,
            to_copy,
        )


class Noted(IntEnum):
    """Whether a prediction was noted that somebody waits for; UNWANTED: it was, but by now its shop
    wants the image canceled."""

    NOT = 0
    WANTED = 1
    UNWANTED = 2


class Requeued(NamedTuple):
    """`due_in`: the seconds until the item is due again; None when it is not: stale, FAILED, or
    `canceled` because its shop wants that."""

    moved: bool
    due_in: float | None
    canceled: bool = False
