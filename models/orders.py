"""What goes in and out of the lifecycle, as plain values."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, NamedTuple, Self

from models.tables import Item, Job


@dataclass(frozen=True, slots=True)
class ImageOrder:
    """One image that a shop wants optimized."""

    image_id: str
    image_url: str
    prompt: str
    aspect_ratio: str = "match_input_image"
    output_format: str = "jpg"


@dataclass(frozen=True, slots=True)
class JobOrder:
    """1 to 10 images of one product, with distinct image ids."""

    product_id: str
    product_name: str
    images: tuple[ImageOrder, ...]

    def to_job(self, instance_id: int) -> Job:
        """The row of the job, not yet written."""
        return Job(
            instance_id=instance_id,
            product_id=self.product_id,
            product_name=self.product_name,
            total_images=len(self.images),
        )

    def to_items(self, job: Job, price: int) -> list[Item]:
        """The rows of its items, in the order in which they were submitted."""
        return [
            Item(
                **asdict(image),
                job_id=job.id,
                instance_id=job.instance_id,
                position=position,
                credits=price,
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


@dataclass(frozen=True, slots=True)
class Receipt:
    """The answer to an order. `replayed`: it was given before, for the same `Idempotency-Key`."""

    job: ReceiptJob
    credits_used: int
    credits_remaining: int
    replayed: bool = False

    @classmethod
    def of(cls, job: Job, used: int, remaining: int) -> Self:
        """The receipt for a job that was just written."""
        names = ReceiptJob.__dataclass_fields__
        return cls(ReceiptJob(**{name: getattr(job, name) for name in names}), used, remaining)

    def to_json(self) -> dict[str, Any]:
        """As it is kept with the idempotency key."""
        job = asdict(self.job) | {"created_at": self.job.created_at.isoformat()}
        return {"job": job, "used": self.credits_used, "remaining": self.credits_remaining}

    @classmethod
    def from_json(cls, answer: dict[str, Any]) -> Self:
        """The receipt that `to_json` kept, marked as replayed."""
        created_at = datetime.fromisoformat(answer["job"]["created_at"])
        job = ReceiptJob(**(answer["job"] | {"created_at": created_at}))
        return cls(job, answer["used"], answer["remaining"], replayed=True)


@dataclass(frozen=True, slots=True)
class Turn:
    """An item whose turn it is, held by a new attempt that is about to create its prediction."""

    attempt_id: int
    reference: str
    item_id: int
    job_id: int
    instance_id: int
    image_url: str
    prompt: str
    aspect_ratio: str
    output_format: str

    @classmethod
    def of(cls, attempt_id: int, reference: str, item: Item) -> Self:
        """The turn of `item`."""
        return cls(
            attempt_id,
            reference,
            item.id,
            item.job_id,
            item.instance_id,
            item.image_url,
            item.prompt,
            item.aspect_ratio,
            item.output_format,
        )


class Requeued(NamedTuple):
    """`due_in`: the seconds until the item is due again; None when it is not: stale, FAILED, or
    `canceled` because its shop wants that."""

    moved: bool
    due_in: float | None
    canceled: bool = False
