"""Erasing an instance: what its shop gave and got goes, page by page; its credits and what was
counted by day stay, without a name.

It may be broken off after any page and begun again. The name goes last: until then it is found by
it.
"""

import secrets
from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import delete, exists, func, select
from sqlalchemy.orm import Session

from models import accounts, audit, deletion, ledger
from models.clock import age, from_now, now
from models.database import changed, reading, transaction
from models.deletion import STRAY, Deleted
from models.tables import (
    FINAL,
    Attempt,
    IdempotencyKey,
    Instance,
    Item,
    Job,
    MonthlyPrompt,
    PromptPreset,
    Status,
    UnwantedFile,
    Upload,
    WebhookDelivery,
    WebhookEndpoint,
)

JOBS = 20
ROWS = 500
# Tables of which whole rows go, in this order, with what tells their rows apart.
REST: dict[str, tuple[Any, Any]] = {
    "deliveries": (WebhookDelivery, WebhookDelivery.id),
    "endpoints": (WebhookEndpoint, WebhookEndpoint.id),
    "presets": (PromptPreset, PromptPreset.id),
    "counted prompts": (MonthlyPrompt, MonthlyPrompt.month),
}
ALL: dict[str, Any] = {"jobs": Job, "images": Item, "uploads": Upload} | {
    "kept answers": IdempotencyKey,
    **{name: table for name, (table, _key) in REST.items()},
}


class StillNeeded(Exception):
    """What was to be erased is in use."""


class Obstacles(NamedTuple):
    """What keeps an instance from being erased: images that are not final, predictions that are
    still to be canceled, and the seconds until the last use of its rows is long enough ago."""

    unfinished: int
    strays: int
    quiet_in: float


@reading
def obstacles(session: Session, instance_id: int, quiet: float) -> Obstacles:
    """What keeps it from being erased now. After `quiet` seconds the limiter needs its attempts no
    more, none of its predictions is taken for somebody else's, and nobody stores anything for it.
    """
    own = select(func.count()).where(Item.instance_id == instance_id)
    unfinished = session.scalar(own.where(Item.status.in_((Status.PENDING, Status.RUNNING))))
    wanted = own.select_from(Item).join(Attempt, Attempt.item_id == Item.id)
    strays = session.scalar(wanted.where(Attempt.cancel_at.is_not(None)))
    left = quiet - min(_ages(session, instance_id, quiet), default=quiet)
    return Obstacles(unfinished or 0, strays or 0, left)


def _ages(session: Session, instance_id: int, quiet: float) -> list[float]:
    """How long ago something of it was sent, ended or uploaded, of what is not longer ago."""
    recently = from_now(-quiet)
    sent = select(func.min(age(Attempt.created_at))).select_from(Attempt).join(Item)
    ended = select(func.min(age(Job.finished_at))).where(Job.instance_id == instance_id)
    given = select(func.min(age(Upload.created_at))).where(Upload.instance_id == instance_id)
    youngest = (
        sent.where(Item.instance_id == instance_id, Attempt.created_at > recently),
        ended.where(Job.finished_at > recently),
        given.where(Upload.created_at > recently),
    )
    ages = [session.scalar(each) for each in youngest]
    return [each for each in ages if each is not None]


@reading
def left(session: Session, instance_id: int) -> dict[str, int]:
    """How many rows of each kind there are to be deleted."""
    counted = {
        name: session.scalar(select(func.count()).where(table.instance_id == instance_id))
        for name, table in ALL.items()
    }
    return {name: rows or 0 for name, rows in counted.items()}


@transaction
def erase_jobs(session: Session, instance_id: int) -> Deleted:
    """Delete a page of its jobs, with everything that names them: all of a day's kept answers."""
    instance = _disabled(session, instance_id)
    session.execute(delete(IdempotencyKey).where(IdempotencyKey.instance_id == instance_id))
    final = select(Job.id).where(Job.instance_id == instance_id, Job.status.in_(FINAL), ~STRAY)
    job_ids = session.scalars(final.order_by(Job.id).limit(JOBS)).all()
    return deletion.delete_jobs(session, instance, job_ids)


@transaction
def erase_uploads(session: Session, instance_id: int) -> Sequence[str]:
    """Delete a page of its uploads' rows; return their files, which are to be deleted next."""
    _disabled(session, instance_id)
    own = select(Upload.key).where(Upload.instance_id == instance_id).order_by(Upload.id)
    keys = session.scalars(own.limit(ROWS)).all()
    session.execute(delete(Upload).where(Upload.key.in_(keys)))
    session.add_all(UnwantedFile(key=key) for key in keys)
    return keys


@transaction
def erase_rest(session: Session, instance_id: int) -> bool:
    """Delete a page of everything else; False when there was nothing."""
    _disabled(session, instance_id)
    for table, key in REST.values():
        page = select(key).where(table.instance_id == instance_id).order_by(key).limit(ROWS)
        own = delete(table).where(table.instance_id == instance_id)
        if changed(session, own.where(key.in_(session.scalars(page).all()))):
            return True
    return False


@transaction
def finish(session: Session, instance_id: int, by: str, details: dict[str, int]) -> str:
    """Take its name, its token and its shop away; return what it is called from now on.

    Raises `StillNeeded` when something of it is left.
    """
    instance = _disabled(session, instance_id)
    if any(session.scalar(select(_any_of(table, instance_id))) for table in ALL.values()):
        raise StillNeeded("Something of it came back meanwhile, or is in use.")
    instance.name = f"erased-{instance.id}"
    instance.token_hash = accounts.hash_token(secrets.token_urlsafe())
    instance.wix_instance_id = None
    audit.write(session, by, "instances erase", instance.name, **details)
    return instance.name


def _any_of(table: Any, instance_id: int) -> Any:
    return exists().where(table.instance_id == instance_id)


def _disabled(session: Session, instance_id: int) -> Instance:
    """Lock it. Nothing can be added while it is disabled, and there is no way back from that; from
    now on its counts by day are those of images that are no longer there."""
    instance = ledger.lock(session, instance_id)
    if instance.disabled_at is None:
        raise StillNeeded("It is not disabled.")
    if instance.erased_at is None:
        instance.erased_at = now()
    return instance
