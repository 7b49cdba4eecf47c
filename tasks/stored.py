"""What the storage holds and lacks, for an operator's check: no request and no task lists it."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import obstore
from obstore.exceptions import BaseError

from tasks.storage import KEY, Storage, StorageUnavailable

PAGE = 500
# Each question to a bucket waits for a network; a folder answers at once.
THREADS = 16


def missing(storage: Storage, keys: Sequence[str]) -> set[str]:
    """Those of `keys` under which nothing is stored. Raises `StorageUnavailable`."""
    with ThreadPoolExecutor(THREADS) as askers:
        there = list(askers.map(storage.exists, keys))
    return {key for key, exists in zip(keys, there, strict=True) if not exists}


def stored_keys(storage: Storage) -> Iterator[list[str]]:
    """The keys of all stored results in pages, in any order; what has another name is not ours.

    Raises `StorageUnavailable`.
    """
    try:
        for found in obstore.list(storage._store, chunk_size=PAGE):
            yield [each["path"] for each in found if KEY.fullmatch(each["path"])]
    except (BaseError, OSError) as error:
        raise StorageUnavailable(f"storage list: {type(error).__name__}") from error
