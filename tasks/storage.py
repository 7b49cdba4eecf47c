"""Where results and uploads are: a local folder, or S3, Google or Azure by URL (`STORAGE_URL`).

Every call is bounded below 8 s. Keys are 32 hexadecimal digits and an extension, nothing else, so
that no key can name a file outside of the storage. The content type is the database's knowledge:
a local folder cannot keep it.
"""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import obstore
from obstore.exceptions import BaseError
from obstore.store import AzureStore, GCSStore, LocalStore, S3Store, from_url

from config.settings import Settings
from tasks.image_check import ImageKind, check_image
from tasks.provider_errors import Retryable

if TYPE_CHECKING:
    from obstore.store import ClientConfig, ObjectStore, RetryConfig

__all__ = ["ImageKind", "Storage", "StorageUnavailable", "check_image", "open_storage"]

PIECE = 2**20
KEY = re.compile(r"[0-9a-f]{32}\.(?:jpg|png|webp)")


class StorageUnavailable(Retryable):
    """The storage did not do it, for whatever reason; the result is still at Replicate."""


class Storage:
    """Results and uploads by key; thread-safe, one per process, opened after any fork."""

    def __init__(self, store: "ObjectStore", folder: Path | None = None) -> None:
        self._store = store
        self._folder = folder

    def put(self, key: str, data: bytes, content_type: str) -> None:
        """Store the bytes under the key, whole or not at all; the same key again replaces them."""
        _check(key)
        with _sorted_errors("put"):
            if self._folder:
                self._put_in_folder(self._folder, key, data)
            else:
                # In one request: an aborted multipart upload would leave its parts behind, unseen.
                attributes = {"Content-Type": content_type}
                obstore.put(self._store, key, data, attributes=attributes, use_multipart=False)

    def get(self, key: str) -> bytes:
        """Return the bytes under the key; `FileNotFoundError` where there are none."""
        with _sorted_errors("get", FileNotFoundError):
            return bytes(obstore.get(self._store, _check(key)).bytes())

    def stream(self, key: str) -> tuple[int, Iterator[bytes]]:
        """Return how many bytes are under the key, and them in pieces of a bounded size, each read
        when it is asked for; `FileNotFoundError` where there are none."""
        with _sorted_errors("head", FileNotFoundError):
            size = obstore.head(self._store, _check(key))["size"]
        return size, self._pieces(key, size)

    def _pieces(self, key: str, size: int) -> Iterator[bytes]:
        # One call for each: the time-out of a call ends with the last byte, and whoever reads them
        # may be slow.
        for start in range(0, size, PIECE):
            with _sorted_errors("get"):
                end = min(start + PIECE, size)
                piece = bytes(obstore.get_range(self._store, key, start=start, end=end))
            yield piece

    def exists(self, key: str) -> bool:
        """Tell whether something is stored under the key."""
        with _sorted_errors("head"), suppress(FileNotFoundError):
            obstore.head(self._store, _check(key))
            return True
        return False

    def stored_keys(self, page: int = 500) -> Iterator[list[str]]:
        """All keys in pages, in any order; what has another name is not ours."""
        with _sorted_errors("list"):
            for found in obstore.list(self._store, chunk_size=page):
                yield [each["path"] for each in found if KEY.fullmatch(each["path"])]

    def delete(self, key: str) -> None:
        """Delete what is under the key; nothing there is as good as deleted."""
        with _sorted_errors("delete"), suppress(FileNotFoundError):
            obstore.delete(self._store, _check(key))

    def local_path(self, key: str) -> Path | None:
        """Return the file to be served, or None where results are not in a local folder."""
        return self._folder / _check(key) if self._folder else None

    @property
    def signs(self) -> bool:
        """Tell whether it can give out addresses that anyone may read for a while."""
        return isinstance(self._store, (S3Store, GCSStore, AzureStore))

    def presigned_url(self, key: str, seconds: int) -> str | None:
        """Return a URL that anyone may read for so long, or None for a local folder.

        Signing needs no request, and so does not tell whether the result is there.
        """
        _check(key)
        if not isinstance(self._store, (S3Store, GCSStore, AzureStore)):
            return None  # Not `signs`: the type checker would not know what follows from it.
        with _sorted_errors("sign"):
            return obstore.sign(self._store, "GET", key, timedelta(seconds=seconds))

    def _put_in_folder(self, folder: Path, key: str, data: bytes) -> None:
        # Where the folder has gone (a volume not mounted), obstore would make a new one, or try for
        # ever to create its temporary file.
        if not folder.is_dir():
            raise StorageUnavailable("the results' folder is not there")
        obstore.put(self._store, key, data, use_multipart=False)
        # It renames a finished file but does not sync: after a power cut, the database would know
        # a result whose file is empty.
        _sync(folder / key)
        _sync(folder)


def open_storage(settings: Settings, timeout: float = 6.5) -> Storage:
    """Open what `STORAGE_URL` names; a missing local folder is made. One call takes `timeout` s.

    S3, Google and Azure read their own settings from the environment by their usual names, like
    `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_REGION`, `AWS_ENDPOINT_URL` and, for an
    endpoint without TLS, `AWS_ALLOW_HTTP=true`.
    """
    with _sorted_errors("open"):
        if settings.storage_url.startswith("file:"):
            folder = Path(unquote(urlsplit(settings.storage_url).path))
            return Storage(LocalStore(folder, mkdir=True), folder)
        options: ClientConfig = {
            "connect_timeout": timedelta(seconds=2),
            "timeout": timedelta(seconds=timeout),
            "allow_http": _http_allowed(),
        }
        return Storage(from_url(settings.storage_url, client_options=options, retry_config=RETRIES))


def _http_allowed() -> bool:
    """Given any client option, obstore no longer reads this one from the environment itself."""
    return os.environ.get("AWS_ALLOW_HTTP", "").lower() in {"1", "true", "yes", "on"}


# A quick refusal (S3's "slow down") is tried again; a call that hung is not: 0.8 + 6.5 < 8 s.
RETRIES: "RetryConfig" = {
    "max_retries": 2,
    "retry_timeout": timedelta(seconds=0.8),
    "backoff": {
        "init_backoff": timedelta(seconds=0.1),
        "max_backoff": timedelta(seconds=0.4),
        "base": 2,
    },
}


@contextmanager
def _sorted_errors(verb: str, *passing: type[Exception]) -> Iterator[None]:
    """Let `passing` through: a missing file is an answer to some, but a missing bucket is none."""
    try:
        yield
    except passing:
        raise
    # obstore's own errors, and the built-in one that it raises for what a store cannot do.
    except (BaseError, OSError, NotImplementedError) as error:
        raise StorageUnavailable(f"storage {verb}: {type(error).__name__}") from error


def _check(key: str) -> str:
    if not KEY.fullmatch(key):
        raise ValueError("a key is 32 hexadecimal digits and .jpg, .png or .webp")
    return key


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
