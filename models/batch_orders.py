"""What goes in and out of a batch, as plain values."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Self

from models.orders import JobOrder, ReceiptJob
from models.tables import Batch


@dataclass(frozen=True, slots=True)
class BatchOrder:
    """1 to 100 jobs, all of which are wanted or none."""

    jobs: tuple[JobOrder, ...]

    def to_batch(self, instance_id: int) -> Batch:
        """The row of the batch, not yet written."""
        return Batch(
            instance_id=instance_id,
            total_jobs=len(self.jobs),
            total_images=sum(len(job.images) for job in self.jobs),
        )


@dataclass(frozen=True, slots=True)
class ReceiptBatch:
    """A batch as it was when it was created."""

    id: int
    total_jobs: int
    total_images: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class BatchReceipt:
    """The answer to a batch. `replayed`: it was given before, for the same `Idempotency-Key`."""

    batch: ReceiptBatch
    jobs: tuple[ReceiptJob, ...]
    credits_used: int
    credits_remaining: int
    replayed: bool = False

    @property
    def waiting(self) -> int:
        """How many of its images were not there already."""
        return sum(job.waiting for job in self.jobs)

    @classmethod
    def of(cls, batch: Batch, jobs: Sequence[ReceiptJob], used: int, remaining: int) -> Self:
        """The receipt for a batch that was just written."""
        names = ReceiptBatch.__dataclass_fields__
        told = ReceiptBatch(**{name: getattr(batch, name) for name in names})
        return cls(told, tuple(jobs), used, remaining)

    def to_json(self) -> dict[str, Any]:
        """As it is kept with the idempotency key."""
        batch = asdict(self.batch) | {"created_at": self.batch.created_at.isoformat()}
        jobs = [job.to_json() for job in self.jobs]
        used, remaining = self.credits_used, self.credits_remaining
        return {"batch": batch, "jobs": jobs, "used": used, "remaining": remaining}

    @classmethod
    def from_json(cls, answer: dict[str, Any]) -> Self:
        """The receipt that `to_json` kept, marked as replayed."""
        created_at = datetime.fromisoformat(answer["batch"]["created_at"])
        batch = ReceiptBatch(**(answer["batch"] | {"created_at": created_at}))
        jobs = tuple(ReceiptJob.from_json(job) for job in answer["jobs"])
        return cls(batch, jobs, answer["used"], answer["remaining"], replayed=True)
