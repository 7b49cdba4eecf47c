"""The work: batches, jobs, items and the attempts at them."""

from datetime import datetime
from typing import cast

from sqlalchemy import (
    JSON,
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from models.clock import UtcDateTime, now
from models.database import Base
from models.explanations import EXPLANATIONS
from models.tables.kinds import AttemptStatus, Id, Status, text_of

BATCHED = text("batch_id IS NOT NULL")
ENDED = text("finished_at IS NOT NULL")
# SQLite would give the highest id out again once its row is deleted, and the ledger's references
# name jobs and items by their ids.
GROWING = {"sqlite_autoincrement": True}


class Batch(Base):
    """Up to 100 jobs that were ordered, and charged, together. Its progress is that of its jobs."""

    __tablename__ = "image_optimization_batches"
    __table_args__ = (Index("ix_batches_instance", "instance_id", "id"), GROWING)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    instance_id: Mapped[int] = mapped_column(ForeignKey("instances.id"))
    total_jobs: Mapped[int] = mapped_column(Integer)
    total_images: Mapped[int] = mapped_column(Integer)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now())


class Job(Base):
    """Up to 10 images of one product. `version` grows with every change of it or of its items.
    `retry_of` is the job whose failed images these are; a job is retried once."""

    __tablename__ = "image_optimization_jobs"
    __table_args__ = (
        CheckConstraint("total_images BETWEEN 1 AND 10", name="total_images_in_range"),
        CheckConstraint(
            "completed_images >= 0 AND failed_images >= 0 AND canceled_images >= 0"
            " AND completed_images + failed_images + canceled_images <= total_images",
            name="counters_within_total",
        ),
        Index("ix_jobs_instance_status", "instance_id", "status", "id"),
        Index("ix_jobs_status", "status", "id"),
        Index("ix_jobs_batch", "batch_id", "id", postgresql_where=BATCHED, sqlite_where=BATCHED),
        Index("uq_jobs_retry_of", "retry_of", unique=True),
        Index("ix_jobs_finished", "finished_at", postgresql_where=ENDED, sqlite_where=ENDED),
        Index(
            "ix_jobs_instance_finished",
            "instance_id",
            "finished_at",
            postgresql_where=ENDED,
            sqlite_where=ENDED,
        ),
        GROWING,
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    instance_id: Mapped[int] = mapped_column(ForeignKey("instances.id"))
    product_id: Mapped[str] = mapped_column(String(255))
    product_name: Mapped[str] = mapped_column(String(500))
    status: Mapped[Status] = mapped_column(text_of(Status, "job_status"), default=Status.PENDING)
    total_images: Mapped[int] = mapped_column(Integer)
    completed_images: Mapped[int] = mapped_column(Integer, default=0)
    failed_images: Mapped[int] = mapped_column(Integer, default=0)
    canceled_images: Mapped[int] = mapped_column(Integer, default=0)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now())
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    version: Mapped[int] = mapped_column(Integer, default=1)
    batch_id: Mapped[int | None] = mapped_column(ForeignKey("image_optimization_batches.id"))
    retry_of: Mapped[int | None] = mapped_column(ForeignKey("image_optimization_jobs.id"))


DUE = text("status = 'PENDING' AND not_before IS NULL")
WAITS = text("status = 'PENDING'")
BACKING_OFF = text("not_before IS NOT NULL")
IS_RUNNING = text("status = 'RUNNING'")
# What was reused itself has no file of its own: however often that happens, what is looked through
# to reuse a result does not grow.
REUSABLE = text("status = 'DONE' AND reuse_hash IS NOT NULL AND stored_key IS NULL")
IS_REUSE = text("reused_from IS NOT NULL")
IS_COPY = text("stored_key IS NOT NULL")
UNCOUNTED = text("NOT counted AND status IN ('DONE', 'FAILED', 'CANCELED')")


class Item(Base):
    """One image with its prompt. `attempt_id` is the attempt that holds it (the fence), and
    `not_before` is set while it is PENDING but not due.

    `cancel_requested_at` is set once its shop wants it canceled although it was sent. A result that
    was made before, for the item `reused_from`, is in the storage as `stored_key`; without that one
    `result_key` is its name there too. `counted`: it stands in the analytics."""

    __tablename__ = "image_optimization_items"
    __table_args__ = (
        UniqueConstraint("job_id", "position", name="uq_items_position"),
        UniqueConstraint("job_id", "image_id", name="uq_items_image"),
        CheckConstraint("(status = 'DONE') = (result_key IS NOT NULL)", name="done_has_result"),
        CheckConstraint("(status = 'FAILED') = (error_code IS NOT NULL)", name="failed_has_code"),
        CheckConstraint("not_before IS NULL OR status = 'PENDING'", name="only_pending_back_off"),
        Index("ix_items_due", "instance_id", "id", postgresql_where=DUE, sqlite_where=DUE),
        Index("ix_items_backing_off", "not_before", postgresql_where=BACKING_OFF,
              sqlite_where=BACKING_OFF),
        Index("ix_items_waiting", "id", postgresql_where=WAITS, sqlite_where=WAITS),
        Index("ix_items_running", "instance_id", postgresql_where=IS_RUNNING,
              sqlite_where=IS_RUNNING),
        Index("ix_items_reusable", "instance_id", "reuse_hash", "id", postgresql_where=REUSABLE,
              sqlite_where=REUSABLE),
        Index("ix_items_copies", "stored_key", postgresql_where=IS_COPY, sqlite_where=IS_COPY),
        Index("ix_items_uncounted", "instance_id", "id", postgresql_where=UNCOUNTED,
              sqlite_where=UNCOUNTED),
        # Without it every deleted item would have the foreign key look through all of them.
        Index("ix_items_reused_from", "reused_from", postgresql_where=IS_REUSE,
              sqlite_where=IS_REUSE),
        GROWING,
    )  # fmt: skip

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    job_id: Mapped[int] = mapped_column(ForeignKey("image_optimization_jobs.id"))
    instance_id: Mapped[int] = mapped_column(ForeignKey("instances.id"))
    position: Mapped[int] = mapped_column(Integer)
    image_id: Mapped[str] = mapped_column(String(255))
    image_url: Mapped[str] = mapped_column(String(2048))
    prompt: Mapped[str] = mapped_column(Text)
    aspect_ratio: Mapped[str] = mapped_column(String(20))
    output_format: Mapped[str] = mapped_column(String(10))
    credits: Mapped[int] = mapped_column(Integer)
    status: Mapped[Status] = mapped_column(text_of(Status, "item_status"), default=Status.PENDING)
    attempt_id: Mapped[int | None] = mapped_column(Id)
    failed_attempts: Mapped[int] = mapped_column(Integer, default=0)
    not_before: Mapped[datetime | None] = mapped_column(UtcDateTime)
    refunded: Mapped[bool] = mapped_column(default=False, server_default=false())
    result_key: Mapped[str | None] = mapped_column(String(64), unique=True)
    result_type: Mapped[str | None] = mapped_column(String(50))
    error_code: Mapped[str | None] = mapped_column(String(50))
    error: Mapped[str | None] = mapped_column(String(500))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now())
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now())
    model: Mapped[str] = mapped_column(String(120), server_default=text("'google/nano-banana'"))
    resolution: Mapped[str | None] = mapped_column(String(10))
    quality: Mapped[int | None] = mapped_column(Integer)
    reference_urls: Mapped[list[str]] = mapped_column(
        JSON, default=list, server_default=text("'[]'")
    )
    cancel_requested_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    reuse_hash: Mapped[str | None] = mapped_column(String(64))
    reused_from: Mapped[int | None] = mapped_column(ForeignKey("image_optimization_items.id"))
    stored_key: Mapped[str | None] = mapped_column(String(64))
    counted: Mapped[bool] = mapped_column(default=False, server_default=false())

    @property
    def credits_charged(self) -> int:
        """What it cost its instance in the end."""
        return 0 if self.refunded else self.credits

    @property
    def retryable(self) -> bool | None:
        """Of a failed one: whether to order the same again makes sense."""
        return EXPLANATIONS[self.error_code].retry if self.error_code else None


CREATING = text("status = 'CREATING'")
CREATED = text("status = 'CREATED'")
UNWANTED = text("cancel_at IS NOT NULL")


class Attempt(Base):
    """One try to have an item's prediction made: at most one prediction id, and a reference that
    nobody can guess. `outcome` says how it ended. `sent_urls` are the addresses that Replicate was
    given for the item's image and its references, where they are not the item's own. `cancel_at` is
    set while nobody wants its prediction and Replicate has not confirmed its end: when to ask for
    that again."""

    __tablename__ = "image_optimization_attempts"
    __table_args__ = (
        CheckConstraint("(status = 'ENDED') = (outcome IS NOT NULL)", name="ended_has_outcome"),
        CheckConstraint(
            "status != 'CREATED' OR prediction_id IS NOT NULL", name="created_has_prediction"
        ),
        Index("ix_attempts_item", "item_id"),
        Index("ix_attempts_created_at", "created_at"),
        Index("ix_attempts_creating", "lease_until", postgresql_where=CREATING,
              sqlite_where=CREATING),
        Index("ix_attempts_to_check", "next_check_at", postgresql_where=CREATED,
              sqlite_where=CREATED),
        Index("ix_attempts_unwanted", "cancel_at", postgresql_where=UNWANTED,
              sqlite_where=UNWANTED),
        GROWING,
    )  # fmt: skip

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    item_id: Mapped[int] = mapped_column(ForeignKey("image_optimization_items.id"))
    reference: Mapped[str] = mapped_column(String(64), unique=True)
    result_key: Mapped[str] = mapped_column(String(64))
    status: Mapped[AttemptStatus] = mapped_column(
        text_of(AttemptStatus, "attempt_status"), default=AttemptStatus.CREATING
    )
    outcome: Mapped[str | None] = mapped_column(String(50))
    prediction_id: Mapped[str | None] = mapped_column(String(64), unique=True)
    checks: Mapped[int] = mapped_column(Integer, default=0)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now())
    lease_until: Mapped[datetime] = mapped_column(UtcDateTime)
    deadline_at: Mapped[datetime] = mapped_column(UtcDateTime)
    next_check_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    cancel_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    sent_urls: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))


JOBS, ITEMS, ATTEMPTS = (cast("Table", kind.__table__) for kind in (Job, Item, Attempt))
