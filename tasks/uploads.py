"""Making a shop's uploads readable for Replicate.

Where our storage gives out presigned addresses, such a one is the copy; where our own address is
public, none is needed (`models.copies`); else the file is sent to Replicate, which keeps it for a
day. All of it happens without a grant: a copy may take longer than one is good for.
"""

import io
import time
from collections.abc import Sequence

import structlog

from models import copies
from tasks.download import Stopping
from tasks.gear import Gear
from tasks.provider_errors import Permanent
from tasks.provider_files import LONGEST_URL

log = structlog.get_logger(__name__)

LOST = "upload_lost"
# The attempt that waits for the copies has a lease of 30 s. What is left comes with its next turn.
COPYING_SECONDS = 15.0
# How much longer than it must be good for a presigned address is made.
SPARE_SECONDS = 3600.0


class Watched(io.BytesIO):
    """A file in memory that is read no further once the process ends."""

    def __init__(self, data: bytes, gear: Gear) -> None:
        super().__init__(data)
        self._stopping = gear.stopping

    def read(self, size: int | None = -1, /) -> bytes:
        """Return the next bytes; raises `Stopping`."""
        if self._stopping.is_set():
            raise Stopping
        return super().read(size)


def public(gear: Gear) -> str:
    """Where our own addresses are open to Replicate without any copy; empty where none are."""
    return "" if gear.storage.signs else gear.settings.public_base_url


def copy(gear: Gear, keys: Sequence[str], deadline: float) -> None:
    """Make copies of these uploads that are good for a prediction of `deadline` seconds.

    Raises `Stopping`, `Permanent` (with `LOST` where there is nothing to copy) and what else
    Replicate or the storage may raise; the copies made until then are kept.
    """
    began = time.monotonic()
    for key in keys:
        if gear.stopping.is_set():
            raise Stopping
        url, seconds = _signed(gear, key, deadline) or _sent(gear, key, deadline)
        with gear.database():
            noted = copies.note(key, url, seconds)
        if not noted:
            # To sign an address asks nobody, so without this it would be signed for ever.
            raise Permanent(LOST, "the upload has no row")
        if time.monotonic() - began > COPYING_SECONDS:
            return


def _signed(gear: Gear, key: str, deadline: float) -> tuple[str, float] | None:
    seconds = copies.needed_for(deadline) + SPARE_SECONDS
    url = gear.storage.presigned_url(key, int(seconds))
    # With a session's token in it, it may be longer than a row can hold.
    return (url, seconds) if url and len(url) <= LONGEST_URL else None


def _sent(gear: Gear, key: str, deadline: float) -> tuple[str, float]:
    with gear.database():
        content_type = copies.content_type(key)
    if content_type is None:
        raise Permanent(LOST, "the upload has no row")
    try:
        data = gear.storage.get(key)
    except FileNotFoundError as error:
        raise Permanent(LOST, "the storage has no such upload") from error
    try:
        file = gear.replicate.upload_file(key, Watched(data, gear), content_type)
    except Permanent as error:
        # Whatever its status is: of an upload it does not mean what it means of a prediction.
        raise Permanent("invalid_input", error.detail) from error
    log.info("upload copied", key=key, bytes=len(data), seconds=file.seconds)
    # One that is never good for long enough would be made again and again.
    return file.url, max(file.seconds, 2 * copies.needed_for(deadline))
