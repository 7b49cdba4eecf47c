"""Jobs that ended long ago, with files, for the tests of what deletes them."""

import secrets
from typing import Any

from sqlalchemy import Update, select, update

from models import analytics, invariants, lifecycle
from models.clock import from_now, now
from models.database import db
from models.tables import Attempt, IdempotencyKey, Instance, Item, Job, Status
from tasks.storage import Storage
from tests.shop import DEADLINE, order, submit

DAY = 86_400.0
MONTH = 30 * DAY
PICTURE = b"\xff\xd8 a picture"


def write(*statements: Update) -> None:
    """Shift time, or whatever else rows have to say."""
    for statement in statements:
        db.session.execute(statement)
    db.session.commit()


def finish_all(storage: Storage) -> list[str]:
    """Let every waiting image be made and stored; return the keys."""
    keys = []
    while turn := lifecycle.claim_next(DEADLINE):
        lifecycle.note(turn.attempt_id, f"prediction-{turn.attempt_id}", 1.0)
        key = f"{stem(turn.attempt_id)}.jpg"
        storage.put(key, PICTURE, "image/jpeg")
        assert lifecycle.finish(turn.attempt_id, key, "image/jpeg")
        keys.append(key)
    return keys


def stem(attempt_id: int) -> str:
    """What an attempt's result is stored under."""
    key = select(Attempt.result_key).where(Attempt.id == attempt_id)
    found = db.session.scalars(key).one()
    db.session.rollback()
    return found


def reuse(shop: int, key: str) -> int:
    """A free job of one image that shows the result under `key`; return its id."""
    job_id = lifecycle.submit(shop, order(product="again"), 0).job.id
    origin = select(Item.id).where(Item.result_key == key).scalar_subquery()
    shown = {"stored_key": key, "reused_from": origin, "result_type": "image/jpeg"}
    done = {"status": Status.DONE, "result_key": f"{secrets.token_hex(16)}.jpg"}
    ended = {"status": Status.DONE, "completed_images": 1, "finished_at": now()}
    write(
        update(Item).where(Item.job_id == job_id).values(**shown, **done, updated_at=now()),
        update(Job).where(Job.id == job_id).values(**ended),
        update(Instance).where(Instance.id == shop).values(due_items=Instance.due_items - 1),
    )
    return job_id


def make_old(*job_ids: int, seconds: float = 2 * MONTH) -> None:
    """These jobs ended so long ago; what has ended is counted."""
    past = from_now(-seconds)
    items = select(Item.id).where(Item.job_id.in_(job_ids))
    old = {"created_at": past, "finished_at": past}
    tried = update(Attempt).where(Attempt.item_id.in_(items), Attempt.ended_at.is_not(None))
    write(
        update(Job).where(Job.id.in_(job_ids)).values(**old),
        update(Item).where(Item.job_id.in_(job_ids)).values(created_at=past, updated_at=past),
        tried.values(created_at=past, ended_at=past),
        update(IdempotencyKey).values(created_at=past),
    )
    for (shop,) in read(select(Job.instance_id).where(Job.id.in_(job_ids)).distinct()):
        analytics.catch_up(shop)


def old_job(storage: Storage, shop: int, images: int = 1) -> tuple[int, list[str]]:
    """A job of that shop that ended two months ago; return its id and its files."""
    job_id = submit(shop, images, key=f"key-{shop}-{images}").job.id
    keys = finish_all(storage)
    make_old(job_id)
    return job_id, keys


def read(statement: Any) -> list[Any]:
    """The rows of a SELECT, and no transaction left open."""
    rows = db.session.execute(statement).all()
    db.session.rollback()
    return list(rows)


def ids(column: object) -> list[Any]:
    """What is left of a table."""
    return [row[0] for row in read(select(column).order_by(column))]  # type: ignore[call-overload]


def litter(storage: Storage) -> list[str]:
    """What `reconcile --storage` would call litter, and what it would miss."""
    unknown = [
        str(finding)
        for keys in storage.stored_keys()
        for finding in invariants.unknown_results(keys)
    ]
    lost = invariants.follow(
        invariants.looks(
            invariants.Patience(86_400.0, None),
            lambda keys: {key for key in keys if not storage.exists(key)},
        )["results"]
    )
    return unknown + [str(finding) for page in lost for finding in page.findings]


def stored(storage: Storage) -> set[str]:
    """The keys of all files."""
    return {key for keys in storage.stored_keys() for key in keys}
