"""Deleting files that nobody wants any more, and what is older than RESULT_RETENTION.

Used by the sweep, and by operators on the command line.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import NamedTuple

from models import deletion, retention
from tasks.gear import Gear
from tasks.storage import Storage

# A bucket answers after a while, each time.
THREADS = 16
FILES = 500
# The sweep has more to do; what is left comes with the next one.
SWEEP_SECONDS = 5.0


class Progress(NamedTuple):
    """What one page deleted. `bytes` is 0 where nobody wanted to know."""

    jobs: int = 0
    images: int = 0
    files: int = 0
    bytes: int = 0
    uploads: int = 0


@dataclass(frozen=True, slots=True)
class Broom:
    """Where rows and files are. With `weighing`, each file's size is asked for before it goes;
    `jobs` go in one transaction."""

    storage: Storage
    database: Callable[[], AbstractContextManager[object]]
    weighing: bool = False
    jobs: int = retention.JOBS

    def clear(self, keys: Sequence[str]) -> int:
        """Delete these unwanted files, and then forget them; return their bytes.

        Raises `StorageUnavailable`; what is left is deleted by the next sweep.
        """
        with ThreadPoolExecutor(THREADS) as hands:
            deleted = sum(hands.map(self._delete, keys))
        with self.database():
            deletion.forget_files(keys)
        return deleted

    def _delete(self, key: str) -> int:
        deleted = size(self.storage, key) if self.weighing else 0
        self.storage.delete(key)
        return deleted


def size(storage: Storage, key: str) -> int:
    """The bytes under the key: 0 where nothing is."""
    try:
        return storage.stream(key)[0]
    except FileNotFoundError:
        return 0


def leftovers(broom: Broom) -> Iterator[Progress]:
    """Delete what somebody who died left to be deleted, page by page."""
    while keys := _unwanted(broom):
        yield Progress(files=len(keys), bytes=broom.clear(keys))


def old(broom: Broom, seconds: float) -> Iterator[Progress]:
    """Delete everything that ended so many seconds ago (a day at least), page by page."""
    yield from leftovers(broom)
    while (instance_id := _asked(broom, retention.next_instance, seconds)) is not None:
        with broom.database():
            gone = retention.delete_old_jobs(instance_id, seconds, broom.jobs)
        yield Progress(gone.jobs, gone.images, len(gone.files), broom.clear(gone.files))
    while (instance_id := _asked(broom, retention.next_uploader, seconds)) is not None:
        with broom.database():
            expired = retention.expire_old_uploads(instance_id, seconds)
        yield Progress(uploads=expired)


def retain(gear: Gear) -> str:
    """The sweep's part of it: some pages."""
    broom, seconds = Broom(gear.storage, gear.database), gear.settings.result_retention
    began, jobs, files = time.monotonic(), 0, 0
    for page in leftovers(broom) if seconds is None else old(broom, seconds):
        jobs, files = jobs + page.jobs, files + page.files
        if gear.stopping.is_set() or time.monotonic() - began > SWEEP_SECONDS:
            break
    return f"{jobs} old jobs and {files} files deleted"


def _unwanted(broom: Broom) -> Sequence[str]:
    with broom.database():
        return deletion.unwanted_files(FILES)


def _asked(broom: Broom, ask: Callable[[float], int | None], seconds: float) -> int | None:
    with broom.database():
        return ask(seconds)
