"""The tenants and their credits."""

from datetime import datetime
from typing import cast

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from models.clock import UtcDateTime, now
from models.database import Base
from models.tables.kinds import EPOCH, EntryKind, Id, text_of

IN_LINE = text("due_items > 0 AND held_at IS NULL")
HELD = text("held_at IS NOT NULL")


class Instance(Base):
    """One tenant. `due_items` counts its PENDING items that are due, and `last_served` is when its
    last turn ended: together they are its place in the round of the fair shares. `turns_left` is
    how many more of its images come before its turn ends. `max_running` and `max_waiting` are its
    own caps, if it has any. `held_at` is set while it runs as many as its cap allows: it is not
    served meanwhile, and not in the index by which turns are found. `deleted_charges` and
    `deleted_refunds` are the credits that were charged, and given back, for images whose rows are
    deleted: the ledger keeps their entries."""

    __tablename__ = "instances"
    __table_args__ = (
        CheckConstraint("balance >= 0", name="balance_not_negative"),
        CheckConstraint("due_items >= 0", name="due_items_not_negative"),
        Index("ix_instances_reset_month", "reset_month"),
        Index("ix_instances_turn", "last_served", "id", postgresql_where=IN_LINE,
              sqlite_where=IN_LINE),
        Index("ix_instances_held", "id", postgresql_where=HELD, sqlite_where=HELD),
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
    turns_left: Mapped[int] = mapped_column(Integer, default=0, server_default=text("0"))
    max_running: Mapped[int | None] = mapped_column(Integer)
    max_waiting: Mapped[int | None] = mapped_column(Integer)
    held_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    erased_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    deleted_charges: Mapped[int] = mapped_column(BigInteger, default=0, server_default=text("0"))
    deleted_refunds: Mapped[int] = mapped_column(BigInteger, default=0, server_default=text("0"))


class CreditEntry(Base):
    """One change of a balance. Rows are only ever added; `reference` is unique, so nothing can be
    booked twice; the balance is the sum of the amounts."""

    __tablename__ = "credit_entries"
    __table_args__ = (Index("ix_credit_entries_instance", "instance_id", "id"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    instance_id: Mapped[int] = mapped_column(ForeignKey("instances.id"))
    kind: Mapped[EntryKind] = mapped_column(text_of(EntryKind, "entry_kind"))
    amount: Mapped[int] = mapped_column(BigInteger)
    balance_after: Mapped[int] = mapped_column(BigInteger)
    reference: Mapped[str] = mapped_column(String(255), unique=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now())


INSTANCES, ENTRIES = (cast("Table", kind.__table__) for kind in (Instance, CreditEntry))
