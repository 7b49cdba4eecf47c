"""What operators did, and who: an entry is written in the transaction that did it, and stays."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.database import reading, transaction
from models.tables import AuditEntry, Instance


def write(session: Session, by: str | None, action: str, subject: str, **details: Any) -> None:
    """Add an entry to a transaction that changes something. `by` is the operator's name; without
    one nothing is written, because no operator did it. `details` must hold no secret."""
    if by is not None:
        session.add(AuditEntry(actor=by, action=action, subject=subject, details=details))


def write_about(
    session: Session, by: str | None, action: str, instance_id: int, **details: Any
) -> None:
    """The same about an instance, of which only the id is known."""
    if by is not None:
        name = session.scalars(select(Instance.name).where(Instance.id == instance_id)).one()
        write(session, by, action, name, **details)


@transaction
def record(session: Session, /, by: str, action: str, subject: str, **details: Any) -> None:
    """Write an entry of its own, for what was done in several transactions."""
    write(session, by, action, subject, **details)


@reading
def entries(
    session: Session, limit: int, before: int | None = None, subject: str | None = None
) -> Sequence[AuditEntry]:
    """The newest entries, newest first: those with an id below `before`, and of one subject."""
    chosen = select(AuditEntry)
    if before is not None:
        chosen = chosen.where(AuditEntry.id < before)
    if subject is not None:
        chosen = chosen.where(AuditEntry.subject == subject)
    return session.scalars(chosen.order_by(AuditEntry.id.desc()).limit(limit)).all()
