"""Pictures that shops upload: used by their orders, and forgotten where none uses them in time.

`expires_at` is set until an order uses an upload. Once it has passed nobody is shown the upload any
more and no order takes it. What is stored goes first and its row after it, and a row is there
before anything is stored: so nothing is ever stored that no row knows.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, cast

from sqlalchemy import ColumnElement, CursorResult, delete, or_, select, update
from sqlalchemy.orm import Session

from models.clock import from_now, now
from models.database import changed, reading, transaction
from models.errors import NotFound, UnknownUpload, UploadInUse
from models.reports import Result
from models.tables import Upload

# What an order may name instead of an address on the internet.
PATH = "/uploads/"
KEY = r"[0-9a-f]{32}\.(?:jpg|png|webp)"
# To be stored takes seconds; what then was not marked as kept is litter of a process that died.
STORING_SECONDS = 120.0
# An order that took an upload just before its time was over may not be committed yet: its file goes
# so much later, and no transaction lasts that long. Who ends an upload's time by changing its row
# has waited for such an order already.
GRACE_SECONDS = 60.0

_ADDRESS = re.compile(f"{PATH}({KEY})")


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture about to be stored under `key`; `sha256` is that of the file as it came."""

    key: str
    sha256: str
    file_name: str | None
    content_type: str
    bytes: int
    width: int
    height: int


def key_of(url: str) -> str | None:
    """The key in an upload's address as items keep it; None for any other address."""
    match = _ADDRESS.fullmatch(url)
    return match[1] if match else None


def keys_of(urls: Iterable[str]) -> list[str]:
    """The keys of those that are uploads, each once."""
    return list(dict.fromkeys(key for key in map(key_of, urls) if key))


@transaction
def reserve(session: Session, instance_id: int, picture: Picture) -> int:
    """Write down what is going to be stored; return the upload's id, for `keep`."""
    upload = Upload(
        instance_id=instance_id, expires_at=from_now(STORING_SECONDS), **asdict(picture)
    )
    session.add(upload)
    session.flush()
    return upload.id


@transaction
def keep(session: Session, upload_id: int, seconds: float) -> Upload:
    """It is stored: keep it for so long, or for good once an order uses it.

    Raises `NotFound` if that took longer than anybody waits.
    """
    stored = update(Upload).where(Upload.id == upload_id, visible())
    if not changed(session, stored.values(expires_at=from_now(seconds))):
        raise NotFound("The upload was not stored in time.")
    return session.scalars(select(Upload).where(Upload.id == upload_id)).one()


@reading
def page(session: Session, instance_id: int, before: int | None, limit: int) -> Sequence[Upload]:
    """An instance's uploads, newest first: those with an id below `before`."""
    own = select(Upload).where(Upload.instance_id == instance_id, visible())
    if before is not None:
        own = own.where(Upload.id < before)
    return session.scalars(own.order_by(Upload.id.desc()).limit(limit)).all()


@reading
def one(session: Session, instance_id: int, upload_id: int) -> Upload:
    """One upload of an instance; raises `NotFound` also when it is another's."""
    return _own(session, instance_id, upload_id)


@transaction
def discard(session: Session, instance_id: int, upload_id: int) -> None:
    """Show an upload to nobody from now on; the sweep deletes it. Raises `NotFound`, and
    `UploadInUse` once an order uses it."""
    upload = _own(session, instance_id, upload_id)
    unused = update(Upload).where(Upload.id == upload.id, Upload.expires_at.is_not(None))
    if not changed(session, unused.values(expires_at=from_now(-GRACE_SECONDS))):
        raise UploadInUse("An order uses this upload: it stays for as long as the order does.")


@reading
def shown(session: Session, key: str) -> Result:
    """What is stored under an upload's key; raises `NotFound`."""
    found = select(Upload.content_type).where(Upload.key == key, visible())
    content_type = session.scalar(found)
    if content_type is None:
        raise NotFound("There is no such upload.")
    return Result(key, content_type)


@reading
def may_use(session: Session, instance_id: int, key: str) -> bool:
    """Whether an order of this instance may name it now."""
    own = select(Upload.id).where(Upload.key == key, Upload.instance_id == instance_id)
    return session.scalar(own.where(visible())) is not None


@reading
def usable(session: Session, instance_id: int, keys: Sequence[str]) -> frozenset[str]:
    """Those of the keys that an order of this instance may name now."""
    own = select(Upload.key).where(Upload.key.in_(keys), Upload.instance_id == instance_id)
    return frozenset(session.scalars(own.where(visible())))


def use(session: Session, instance_id: int, urls: Iterable[str]) -> None:
    """Keep for good what an order uses, in the order's own transaction.

    Raises `UnknownUpload` if one of them is not the instance's own, or has just expired.
    """
    keys = keys_of(urls)
    if not keys:
        return
    own = update(Upload).where(Upload.key.in_(keys), Upload.instance_id == instance_id, visible())
    kept = session.execute(own.values(last_used_at=now(), expires_at=None))
    if cast("CursorResult[Any]", kept).rowcount != len(keys):
        raise UnknownUpload("An upload that this order names is no longer there.")


def digests(session: Session, instance_id: int, keys: Iterable[str]) -> dict[str, str]:
    """The hashes of an instance's uploads, each of its file as it came, by their keys."""
    own = select(Upload.key, Upload.sha256).where(Upload.instance_id == instance_id)
    return {row.key: row.sha256 for row in session.execute(own.where(Upload.key.in_(keys)))}


@reading
def expired(session: Session, limit: int) -> list[tuple[int, str]]:
    """The ids and keys of uploads whose time has been over for a while, the oldest first."""
    over = select(Upload.id, Upload.key).where(Upload.expires_at <= from_now(-GRACE_SECONDS))
    rows = session.execute(over.order_by(Upload.expires_at).limit(limit))
    return [(row.id, row.key) for row in rows]


@transaction
def forget(session: Session, upload_ids: Sequence[int]) -> None:
    """Delete the rows of expired uploads, of which nothing is stored any more."""
    session.execute(delete(Upload).where(Upload.id.in_(upload_ids), Upload.expires_at <= now()))


def visible() -> ColumnElement[bool]:
    """The condition that an upload's time is not over."""
    return or_(Upload.expires_at.is_(None), Upload.expires_at > now())


def _own(session: Session, instance_id: int, upload_id: int) -> Upload:
    own = select(Upload).where(Upload.id == upload_id, Upload.instance_id == instance_id)
    upload = session.scalar(own.where(visible()))
    if upload is None:
        raise NotFound(f"There is no upload {upload_id}.")
    return upload
