"""What the columns of several tables have in common: types, statuses, conditions of indexes."""

from enum import StrEnum

from sqlalchemy import BigInteger, Enum, Integer, text

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


class DeliveryStatus(StrEnum):
    """Of a webhook to a shop's app. PENDING is sent, now or again; the others are final."""

    PENDING = "PENDING"
    DELIVERED = "DELIVERED"
    FAILED = "FAILED"


def text_of(kind: type[StrEnum], name: str) -> Enum:
    """Text with a CHECK: a new status is a plain migration on both databases."""
    return Enum(kind, name=name, native_enum=False, create_constraint=True, length=16)
