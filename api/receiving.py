"""Reading a form with a file in it: no more than is allowed, and no longer than anybody waits.

The thread that answers a request reads its body as well, so somebody who sends slowly holds it:
there are places for a few of them (`api/rooms.py`), and none of them for long.
"""

import io
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import IO, cast

from flask import request
from werkzeug.datastructures import FileStorage, MultiDict
from werkzeug.exceptions import BadRequest, ClientDisconnected, RequestEntityTooLarge
from werkzeug.formparser import MultiPartParser

from api.problems import InvalidInput

FIELD = "file"
# What a form has around its file: boundaries, headers, the file's name.
AROUND = 64 * 1024
MOST_PARTS = 10
# Of what is no file; the parser also holds so much of a file at a time.
MOST_FIELD_BYTES = 512 * 1024
# 20 MiB in that time are 1.4 Mbit/s.
SECONDS = 120.0


class NotAForm(Exception):
    """The body is no multipart form."""


class TooSlow(Exception):
    """The body did not come in time."""


@dataclass(frozen=True, slots=True)
class Received:
    """A file as it came; its name is what its sender calls it."""

    data: bytes
    name: str | None


class Body:
    """A request's body that ends with an error rather than be read for too long or too far."""

    def __init__(self, stream: IO[bytes], most: int, seconds: float) -> None:
        self._stream = stream
        self._left = most
        self._end = time.monotonic() + seconds

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes, none at the end."""
        try:
            piece = self._stream.read(size)
        except (ClientDisconnected, OSError) as error:
            self._look_at_the_clock()
            raise BadRequest from error
        self._look_at_the_clock()
        self._left -= len(piece)
        if self._left < 0:
            # A body in chunks announces no size.
            raise RequestEntityTooLarge
        return piece

    def _look_at_the_clock(self) -> None:
        if time.monotonic() > self._end:
            raise TooSlow


def receive(largest: int, seconds: float = SECONDS) -> Received:
    """Return the file of this request's form, which has at most `largest` bytes.

    Raises `NotAForm`, `InvalidInput`, `TooSlow` and `RequestEntityTooLarge`.
    """
    most = largest + AROUND
    request.max_content_length = most + 1
    with _cut_off_after(seconds):
        fields, files = _parsed(Body(request.stream, most, seconds))
    file = _only_file(fields, files)
    data = file.read()
    if len(data) > largest:
        raise RequestEntityTooLarge
    return Received(data, plain_name(file.filename or ""))


def plain_name(name: str) -> str | None:
    """What is left of a file's name without folders and without signs that cannot be seen."""
    last = name.replace("\\", "/").rpartition("/")[2]
    seen = "".join(sign for sign in last if sign.isprintable()).strip()
    return seen[:255] or None


def _parsed(body: Body) -> tuple[MultiDict[str, str], MultiDict[str, FileStorage]]:
    boundary = request.mimetype_params.get("boundary", "").encode("latin-1", "replace")
    if request.mimetype != "multipart/form-data" or not boundary or request.content_encoding:
        raise NotAForm
    parser = MultiPartParser(
        _in_memory, max_form_memory_size=MOST_FIELD_BYTES, max_form_parts=MOST_PARTS
    )
    try:
        return parser.parse(cast("IO[bytes]", body), boundary, request.content_length)
    except ValueError as error:
        raise InvalidInput({"body": ["This is no whole multipart form."]}) from error


def _in_memory(
    total_content_length: int | None,  # noqa: ARG001  werkzeug gives these by name
    content_type: str | None,  # noqa: ARG001
    filename: str | None,  # noqa: ARG001
    content_length: int | None = None,  # noqa: ARG001
) -> IO[bytes]:
    """A container's own disk may not be writable, and the whole body is bounded."""
    return io.BytesIO()


def _only_file(fields: MultiDict[str, str], files: MultiDict[str, FileStorage]) -> FileStorage:
    faults = {name: ["Unknown field."] for name in {*fields, *files} - {FIELD}}
    sent = files.getlist(FIELD)
    if FIELD in fields or len(sent) != 1:
        faults[FIELD] = ["Must be one file." if sent or FIELD in fields else "Missing."]
    if faults:
        raise InvalidInput(faults)
    return sent[0]


@contextmanager
def _cut_off_after(seconds: float) -> Iterator[None]:
    """Hear no more of a client that sends too slowly. Nothing else would wake a thread that waits
    for the next byte: gunicorn's own time-out looks after processes, not after requests."""
    connection: socket.socket | None = request.environ.get("gunicorn.socket")
    if connection is None:
        yield
        return
    # A moment later than the body's own end: what is cut off has come too slowly.
    timer = threading.Timer(seconds + 0.5, _hang_up, (connection,))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _hang_up(connection: socket.socket) -> None:
    """It can still be answered. It may have gone by itself."""
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RD)
