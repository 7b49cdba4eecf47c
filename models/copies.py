"""Where Replicate finds a shop's upload: at an address of ours that is open to it, or as a copy.

A copy is an address that is good for a while: a presigned one of our bucket, or a file of
Replicate's own. It is made before an item's turn (`tasks.uploads`), never between a grant and its
create, so a turn that lacks one is given up at no cost.
"""

from typing import Any, NamedTuple

from sqlalchemy import Row, select, update
from sqlalchemy.orm import Session

from models.clock import from_now
from models.database import changed, reading, transaction
from models.orders import input_urls
from models.tables import Upload
from models.uploads import key_of, keys_of

# On top of the time after which a prediction has certainly ended.
SPARE_SECONDS = 3600.0
# However long predictions may take: a file at Replicate is there for a day.
LONGEST_NEED = 12 * 3600.0


class Addresses(NamedTuple):
    """An item's `own` addresses, its image's first, and what is `sent` to Replicate for them; and
    the keys of uploads of which a copy is `missing`, without which nothing may be sent."""

    own: tuple[str, ...]
    sent: tuple[str, ...]
    missing: tuple[str, ...] = ()

    @property
    def instead(self) -> tuple[str, ...] | None:
        """What is sent, if it can be and is not the item's own."""
        return None if self.missing or self.sent == self.own else self.sent


def needed_for(deadline: float) -> float:
    """The seconds that a copy must still be good for, when a prediction may take `deadline`."""
    return min(deadline + SPARE_SECONDS, LONGEST_NEED)


def addresses(session: Session, item: Row[Any], public: str, deadline: float) -> Addresses:
    """The addresses for an item whose turn it is. `public` is where our own are open to Replicate;
    if that is empty, uploads need copies that are good for a prediction of `deadline` seconds."""
    own = input_urls(item.image_url, item.reference_urls)
    keys = keys_of(own)
    if public or not keys:
        return Addresses(own, tuple(public + url if key_of(url) else url for url in own))
    good = Upload.provider_expires_at >= from_now(needed_for(deadline))
    rows = session.execute(
        select(Upload.key, Upload.provider_url).where(Upload.key.in_(keys), good)
    )
    copies = {row.key: row.provider_url for row in rows}
    sent = tuple(copies.get(key_of(url) or "", url) for url in own)
    return Addresses(own, sent, tuple(key for key in keys if key not in copies))


@reading
def content_type(session: Session, key: str) -> str | None:
    """What kind of picture an upload is; None where there is none."""
    return session.scalar(select(Upload.content_type).where(Upload.key == key))


@transaction
def note(session: Session, key: str, url: str, seconds: float) -> bool:
    """Write down a copy of an upload, which is good for so long; False: there is no such upload."""
    copied = update(Upload).where(Upload.key == key)
    until = from_now(seconds)
    return changed(session, copied.values(provider_url=url, provider_expires_at=until))
