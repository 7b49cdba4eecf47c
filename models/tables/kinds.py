"""What the columns of several tables have in common: types, statuses, conditions of indexes."""

from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Enum, Integer, literal_column, text

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


FINAL = (Status.DONE, Status.FAILED, Status.CANCELED)


class AttemptStatus(StrEnum):
    """CREATING: the create may be on its way. CREATED: its prediction id is known. ENDED: over."""

    CREATING = "CREATING"
    CREATED = "CREATED"
    ENDED = "ENDED"


States = tuple[AttemptStatus, ...]
# What an attempt may be when a move ends it, one of these two. Who moves an item because nothing is
# known of its prediction must not end an attempt that has got one in the meantime.
IN_DOUBT: States = (AttemptStatus.CREATING,)
NOT_ENDED: States = (AttemptStatus.CREATING, AttemptStatus.CREATED)


class EntryKind(StrEnum):
    """Why credits changed."""

    GRANT = "GRANT"
    RESET = "RESET"
    CHARGE = "CHARGE"
    REFUND = "REFUND"


class DeliveryStatus(StrEnum):
    """Of a webhook to a shop's app. PENDING is sent, now or again; the others are final."""

    PENDING = "PENDING"
    DELIVERED = "DELIVERED"
    FAILED = "FAILED"


def fixed(value: StrEnum | int) -> ColumnElement[Any]:
    """A value in the text of a statement, not as a parameter of it: so a partial index is known to
    fit when the statement is planned. SQLite would plan it anew at every run."""
    return literal_column(repr(str(value)) if isinstance(value, StrEnum) else str(value))


def text_of(kind: type[StrEnum], name: str) -> Enum:
    """Text with a CHECK: a new status is a plain migration on both databases."""
    return Enum(kind, name=name, native_enum=False, create_constraint=True, length=16)
