"""What Replicate tells about a file that was uploaded to it, read without trust."""

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

# As long as Replicate's documentation says.
A_DAY = 24 * 3600.0
# What a row can hold.
LONGEST_URL = 2048


@dataclass(frozen=True, slots=True)
class UploadedFile:
    """A file's address, which a model's input may name, and for how many seconds from its
    upload."""

    url: str
    seconds: float


def read_file(document: dict[str, object]) -> UploadedFile | None:
    """Read a file's document; None where it has no usable address."""
    urls = document.get("urls")
    url = urls.get("get") if isinstance(urls, dict) else None
    if not isinstance(url, str) or not _is_address(url):
        return None
    return UploadedFile(url, _life(document.get("created_at"), document.get("expires_at")))


def _is_address(url: str) -> bool:
    plain = len(url) <= LONGEST_URL and url.isprintable() and " " not in url
    return plain and urlsplit(url).scheme in {"http", "https"}


def _life(created_at: object, expires_at: object) -> float:
    """Between two moments of one clock: whether ours agrees with it does not matter."""
    try:
        created, expires = map(datetime.fromisoformat, map(str, (created_at, expires_at)))
        return (expires - created).total_seconds()
    except (ValueError, TypeError):
        return A_DAY
