"""What the storage lacks, for an operator's check: no request and no task asks for so much."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from tasks.storage import Storage

# Each question to a bucket waits for a network; a folder answers at once.
THREADS = 16


def missing(storage: Storage, keys: Sequence[str]) -> set[str]:
    """Those of `keys` under which nothing is stored. Raises `StorageUnavailable`."""
    with ThreadPoolExecutor(THREADS) as askers:
        there = list(askers.map(storage.exists, keys))
    return {key for key, exists in zip(keys, there, strict=True) if not exists}
