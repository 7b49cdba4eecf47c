"""The tables. Statuses and limits are checked by the database too, not only by the code."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Enum,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
    false,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from models.clock import UtcDateTime, now
from models.database import Base
from models.explanations import EXPLANATIONS

# SQLite gives out row ids only for a column whose type is INTEGER.
Id = BigInteger().with_variant(Integer, "sqlite")
EPOCH = text("'1970-01-01 00:00:00.000000'")


class Status(StrEnum):
    """Of an item or of a job; DONE, FAILED and CANCELED are final."""

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    DONE = "DONE"
    FAILED = "FAILED"
    CANCELED = "CANCELED"


class AttemptStatus(StrEnum):
    """CREATING: the create may be on its way. CREATED: its prediction id is known. ENDED: over."""

    CREATING = "CREATING"
    CREATED = "CREATED"
    ENDED = "ENDED"


# What an attempt may be when a move ends it. Who moves an item because nothing is known of its
# prediction must not end an attempt that has got one in the meantime.
IN_DOUBT = (AttemptStatus.CREATING,)
NOT_ENDED = (AttemptStatus.CREATING, AttemptStatus.CREATED)


class EntryKind(StrEnum):
    """Why credits changed."""

    GRANT = "GRANT"
    RESET = "RESET"
    CHARGE = "CHARGE"
    REFUND = "REFUND"


def _enum(kind: type[StrEnum], name: str) -> Enum:
    """Text with a CHECK: a new status is a plain migration on both databases."""
    return Enum(kind, name=name, native_enum=False, create_constraint=True, length=16)


class Instance(Base):
    """One tenant. `due_items` counts its PENDING items that are due, and `last_served` is when one
    of them was last claimed: together they are its place in the round of the fair shares."""

    __tablename__ = "instances"
    __table_args__ = (
        CheckConstraint("balance >= 0", name="balance_not_negative"),
        CheckConstraint("due_items >= 0", name="due_items_not_negative"),
        Index("ix_instances_reset_month", "reset_month"),
        Index("ix_instances_turn", "last_served", "id", postgresql_where=text("due_items > 0"),
              sqlite_where=text("due_items > 0")),
    )  # fmt: skip

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(String(255), unique=True)
    plan: Mapped[str] = mapped_column(String(50))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    balance: Mapped[int] = mapped_column(BigInteger, default=0)
    reset_month: Mapped[str] = mapped_column(String(7), default="")
    due_items: Mapped[int] = mapped_column(Integer, default=0)
    last_served: Mapped[datetime] = mapped_column(UtcDateTime, server_default=EPOCH)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now())
    disabled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # The installation of the Wix app whose shop this is.
    wix_instance_id: Mapped[str | None] = mapped_column(Text)


class CreditEntry(Base):
    """One change of a balance. Rows are only ever added; `reference` is unique, so nothing can be
    booked twice; the balance is the sum of the amounts."""

    __tablename__ = "credit_entries"
    __table_args__ = (
        Index("ix_credit_entries_instance", "instance_id", "id"),
        Index("ix_credit_entries_kind", "kind", "amount"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    instance_id: Mapped[int] = mapped_column(ForeignKey("instances.id"))
    kind: Mapped[EntryKind] = mapped_column(_enum(EntryKind, "entry_kind"))
    amount: Mapped[int] = mapped_column(BigInteger)
    balance_after: Mapped[int] = mapped_column(BigInteger)
    reference: Mapped[str] = mapped_column(String(255), unique=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now())


class Job(Base):
    """Up to 10 images of one product. `version` grows with every change of it or of its items."""

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
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    instance_id: Mapped[int] = mapped_column(ForeignKey("instances.id"))
    product_id: Mapped[str] = mapped_column(String(255))
    product_name: Mapped[str] = mapped_column(String(500))
    status: Mapped[Status] = mapped_column(_enum(Status, "job_status"), default=Status.PENDING)
    total_images: Mapped[int] = mapped_column(Integer)
    completed_images: Mapped[int] = mapped_column(Integer, default=0)
    failed_images: Mapped[int] = mapped_column(Integer, default=0)
    canceled_images: Mapped[int] = mapped_column(Integer, default=0)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now())
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    version: Mapped[int] = mapped_column(Integer, default=1)


DUE = text("status = 'PENDING' AND not_before IS NULL")
BACKING_OFF = text("not_before IS NOT NULL")


class Item(Base):
    """One image with its prompt. `attempt_id` is the attempt that holds it (the fence), and
    `not_before` is set while it is PENDING but not due."""

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
        Index("ix_items_status", "status", "id"),
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
    status: Mapped[Status] = mapped_column(_enum(Status, "item_status"), default=Status.PENDING)
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
    nobody can guess. `outcome` says how it ended. `cancel_at` is set while nobody wants its
    prediction and Replicate has not confirmed its end: when to ask for that again."""

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
    )  # fmt: skip

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    item_id: Mapped[int] = mapped_column(ForeignKey("image_optimization_items.id"))
    reference: Mapped[str] = mapped_column(String(64), unique=True)
    result_key: Mapped[str] = mapped_column(String(64))
    status: Mapped[AttemptStatus] = mapped_column(
        _enum(AttemptStatus, "attempt_status"), default=AttemptStatus.CREATING
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


class IdempotencyKey(Base):
    """The first answer to a request that carried an `Idempotency-Key`."""

    __tablename__ = "idempotency_keys"
    __table_args__ = (Index("ix_idempotency_keys_created_at", "created_at"),)

    instance_id: Mapped[int] = mapped_column(ForeignKey("instances.id"), primary_key=True)
    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    request_hash: Mapped[str] = mapped_column(String(64))
    answer: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now())


class Heartbeat(Base):
    """When something that must happen regularly last happened."""

    __tablename__ = "heartbeats"

    name: Mapped[str] = mapped_column(String(50), primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
