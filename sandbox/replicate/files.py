"""Files that a client uploaded to be used as inputs; they expire after a day."""

import hashlib
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from sandbox.replicate.predictions import random_id, rfc3339

MOST_BYTES = 512 * 2**20
LIFE = 24 * 3600.0


@dataclass(frozen=True)
class UploadedFile:
    """One file; whoever knows its id may fetch its content."""

    base: str
    name: str
    content_type: str
    content: bytes
    metadata: dict[str, Any]
    id: str = field(default_factory=lambda: random_id(48))
    created: float = field(default_factory=time.time)

    def document(self) -> dict[str, Any]:
        """Return what the API shows."""
        digest = hashlib.sha256(self.content).hexdigest()
        return {
            "id": self.id,
            "name": self.name,
            "content_type": self.content_type,
            "size": len(self.content),
            "etag": digest[:32],
            "checksums": {"sha256": digest},
            "metadata": self.metadata,
            "created_at": rfc3339(self.created),
            "expires_at": rfc3339(self.created + LIFE),
            "urls": {"get": f"{self.base}/files/{self.id}/{self.name}"},
        }


class Files:
    """The uploaded files, oldest first; the oldest go when there is too much."""

    def __init__(self) -> None:
        self._files: dict[str, UploadedFile] = {}
        self._size = 0

    def add(self, file: UploadedFile) -> None:
        """Keep the file."""
        self._files[file.id] = file
        self._size += len(file.content)
        while self._size > MOST_BYTES:
            self.delete(next(iter(self._files)))

    def get(self, id: str) -> UploadedFile | None:
        """Return the file, if it is still there."""
        return self._files.get(id)

    def delete(self, id: str) -> bool:
        """Remove the file; False where there is none."""
        file = self._files.pop(id, None)
        self._size -= len(file.content) if file else 0
        return file is not None

    def newest_first(self) -> Iterator[UploadedFile]:
        """Yield all files."""
        yield from reversed(self._files.values())

    def remove_old(self) -> None:
        """Remove what has expired."""
        oldest = next(iter(self._files.values()), None)
        while oldest and oldest.created + LIFE < time.time():
            self.delete(oldest.id)
            oldest = next(iter(self._files.values()), None)
