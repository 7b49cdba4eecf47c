"""Webhooks to the shops' apps: where they want them, and what was sent."""

from datetime import datetime
from typing import cast

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, Integer, String, Table, text
from sqlalchemy.orm import Mapped, mapped_column

from models.clock import UtcDateTime, now
from models.database import Base
from models.tables.kinds import DeliveryStatus, Id, text_of

PENDING = text("status = 'PENDING'")


class WebhookEndpoint(Base):
    """An address of an instance's app, and the events that it wants there. While `previous_secret`
    is set, messages are signed with both."""

    __tablename__ = "webhook_endpoints"
    __table_args__ = (Index("ix_webhook_endpoints_instance", "instance_id", "id"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    instance_id: Mapped[int] = mapped_column(ForeignKey("instances.id"))
    url: Mapped[str] = mapped_column(String(2048))
    events: Mapped[list[str]] = mapped_column(JSON)
    secret: Mapped[str] = mapped_column(String(100))
    previous_secret: Mapped[str | None] = mapped_column(String(100))
    previous_secret_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now())
    disabled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    version: Mapped[int] = mapped_column(Integer, default=1)

    @property
    def enabled(self) -> bool:
        """Whether anything is sent there."""
        return self.disabled_at is None


ENDPOINTS = cast("Table", WebhookEndpoint.__table__)


class WebhookDelivery(Base):
    """One event for one endpoint, written in the transaction that made it happen. What is sent is
    made from the rows it names. Its tries are numbered, and whoever takes the next number sends:
    `next_attempt_at` is when that is due."""

    __tablename__ = "webhook_deliveries"
    __table_args__ = (
        Index("ix_webhook_deliveries_instance", "instance_id", "status", "id"),
        Index("ix_webhook_deliveries_endpoint", "endpoint_id", "status", "id"),
        Index("ix_webhook_deliveries_due", "next_attempt_at", postgresql_where=PENDING,
              sqlite_where=PENDING),
        Index("ix_webhook_deliveries_job", "job_id"),
    )  # fmt: skip

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    endpoint_id: Mapped[int] = mapped_column(ForeignKey("webhook_endpoints.id", ondelete="CASCADE"))
    instance_id: Mapped[int] = mapped_column(ForeignKey("instances.id"))
    message_id: Mapped[str] = mapped_column(String(64), unique=True)
    event: Mapped[str] = mapped_column(String(50))
    job_id: Mapped[int | None] = mapped_column(BigInteger)
    item_id: Mapped[int | None] = mapped_column(BigInteger)
    status: Mapped[DeliveryStatus] = mapped_column(
        text_of(DeliveryStatus, "delivery_status"), default=DeliveryStatus.PENDING
    )
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    next_attempt_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    response_status: Mapped[int | None] = mapped_column(Integer)
    error: Mapped[str | None] = mapped_column(String(500))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now())
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
