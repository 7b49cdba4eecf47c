"""Uploads against the images that were ordered of them, and against the storage."""

from collections.abc import Iterator

from sqlalchemy import Text, cast, or_, select
from sqlalchemy.orm import Session

from models.database import reading, snapshot
from models.invariants.pages import Finding, Page, Start, span
from models.invariants.results import SIZE, Missing, stored
from models.tables import Attempt, AttemptStatus, Item, Upload
from models.uploads import PATH, keys_of, visible

KEEP = "Its picture goes once it expires: set expires_at to NULL."
GONE = "Its shop sees a broken picture: restore the row and its file from a backup."
UNKNOWN = "Nobody can tell its prediction from others: look at Replicate's list for it."
LOST = "Its shop sees a broken picture: restore the file from a backup."


@snapshot
def ordered_uploads(session: Session, after: Start) -> Page:
    """Each upload that an image was ordered of is its instance's own, and is kept for good."""
    page = span(session, Item.id, after)
    named = select(Item.id, Item.instance_id, Item.image_url, Item.reference_urls).where(
        page.holds(Item.id),
        or_(Item.image_url.startswith(PATH), cast(Item.reference_urls, Text).contains(f'"{PATH}')),
    )
    rows = session.execute(named.order_by(Item.id)).all()
    keys = {row.id: keys_of([row.image_url, *row.reference_urls]) for row in rows}
    known = _owners(session, {key for some in keys.values() for key in some})
    found = [
        finding
        for row in rows
        for key in keys[row.id]
        for finding in _use(f"item {row.id}", key, row.instance_id, known.get(key))
    ]
    return page.page(found)._replace(rows=len(rows))


def _owners(session: Session, keys: set[str]) -> dict[str, tuple[int, bool]]:
    """Whose each upload is, and whether it is kept for good."""
    kept = select(Upload.key, Upload.instance_id, Upload.expires_at.is_(None))
    return {
        key: (owner, good) for key, owner, good in session.execute(kept.where(Upload.key.in_(keys)))
    }


def _use(where: str, key: str, instance: int, known: tuple[int, bool] | None) -> Iterator[Finding]:
    expected = f"upload {key} of instance {instance}, kept for good"
    if known is None or known[0] != instance:
        owner = "none" if known is None else f"one of instance {known[0]}"
        yield Finding("upload_of_another", where, expected, owner, GONE)
    elif not known[1]:
        yield Finding("upload_expires", where, expected, "one that expires", KEEP)


@snapshot
def sent_uploads(session: Session, after: Start) -> Page:
    """Each attempt that made a prediction of an upload knows what was sent instead of it."""
    page = span(session, Attempt.id, after)
    made = (
        select(Attempt.id, Attempt.item_id)
        .join(Item, Item.id == Attempt.item_id)
        .where(
            page.holds(Attempt.id),
            Attempt.status == AttemptStatus.CREATED,
            Attempt.sent_urls.is_(None),
            Item.image_url.startswith(PATH),
        )
    )
    found = [
        Finding(
            "sent_unknown", f"attempt {row.id} of item {row.item_id}",
            "the addresses that were sent", "none", UNKNOWN,
        )
        for row in session.execute(made.order_by(Attempt.id))
    ]  # fmt: skip
    return page.page(found)._replace(rows=0)


def stored_uploads(after: Start, missing: Missing) -> Page:
    """Each upload has its picture in the storage."""
    return stored(_kept, after, missing, "upload_missing", "upload", LOST)


@reading
def _kept(session: Session, after: int) -> list[tuple[int, str]]:
    kept = select(Upload.id, Upload.key).where(Upload.id > after, visible())
    rows = session.execute(kept.order_by(Upload.id).limit(SIZE))
    return [(row.id, row.key) for row in rows]
