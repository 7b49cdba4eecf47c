"""What an instance puts by for later orders: its own pictures, and prompts."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column

from models.clock import UtcDateTime, now
from models.database import Base
from models.tables.kinds import Id

UNUSED = sql("expires_at IS NOT NULL")
USED = sql("last_used_at IS NOT NULL")


class Upload(Base):
    """A picture that a shop uploaded, in the storage under `key`. `sha256` is that of the file as
    it came. `expires_at` is set until an order uses it. `provider_url` is Replicate's copy of it,
    where Replicate cannot read our storage."""

    __tablename__ = "uploads"
    __table_args__ = (
        Index("ix_uploads_instance", "instance_id", "id"),
        Index("ix_uploads_expiring", "expires_at", postgresql_where=UNUSED, sqlite_where=UNUSED),
        Index("ix_uploads_used", "last_used_at", postgresql_where=USED, sqlite_where=USED),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    instance_id: Mapped[int] = mapped_column(ForeignKey("instances.id"))
    key: Mapped[str] = mapped_column(String(64), unique=True)
    sha256: Mapped[str] = mapped_column(String(64))
    file_name: Mapped[str | None] = mapped_column(String(255))
    content_type: Mapped[str] = mapped_column(String(50))
    bytes: Mapped[int] = mapped_column(BigInteger)
    width: Mapped[int] = mapped_column(Integer)
    height: Mapped[int] = mapped_column(Integer)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now())
    last_used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    provider_url: Mapped[str | None] = mapped_column(String(2048))
    provider_expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class PromptPreset(Base):
    """A prompt with its options, by a name that is the instance's own."""

    __tablename__ = "prompt_presets"
    __table_args__ = (UniqueConstraint("instance_id", "name", name="uq_presets_name"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    instance_id: Mapped[int] = mapped_column(ForeignKey("instances.id"))
    name: Mapped[str] = mapped_column(String(100))
    prompt: Mapped[str] = mapped_column(Text)
    options: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now())
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now())
