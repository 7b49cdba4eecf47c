"""Answering with a picture that is stored: whole, scaled down, or as a file to be saved."""

from collections.abc import Iterator
from pathlib import Path

from flask import Response, redirect, request, send_file
from werkzeug.wrappers import Response as AnyResponse

from api import current
from api.etags import refuse_unmatched
from api.files import as_asked
from api.pictures import POLICY, picture
from api.scaling import scale
from models.errors import NotFound
from models.reports import Result

# What is stored never changes, and there is only one under its key.
FOR_EVER = 365 * 24 * 3600
# How long a presigned URL may be used, and for how much of that a browser may keep it.
SIGNED_SECONDS, KEPT_SECONDS = 300, 60
GONE = "This picture is no longer there."


def whole(result: Result) -> AnyResponse:
    """Answer with the file itself, or by where it is."""
    path = current.parts().storage.local_path(result.key)
    return _serve(result, path) if path else _send_to_storage(result)


def to_be_saved(result: Result) -> Response:
    """Answer with the file itself, always from here: browsers heed `<a download>` for addresses of
    the page's own origin alone."""
    path = current.parts().storage.local_path(result.key)
    response = _serve(result, path) if path else _stream(result)
    response.headers.set("Content-Disposition", "attachment", filename=result.key)
    return response


def in_width(result: Result, width: int) -> Response:
    """Answer with it scaled down; whoever has it already is told so before anything is read."""
    tag, parts = f"{result.key}-{width}", current.parts()
    if request.if_none_match.contains(tag):
        return picture(b"", FOR_EVER, tag, immutable=True)
    with parts.rooms.results.place():
        data = _stored(result)
        with parts.rooms.scaling.place():
            return picture(scale(data, width), FOR_EVER, tag, immutable=True)


def _stored(result: Result) -> bytes:
    try:
        return current.parts().storage.get(result.key)
    except FileNotFoundError as error:
        raise NotFound(GONE) from error


def _serve(result: Result, path: Path) -> Response:
    if not path.is_file():
        raise NotFound(GONE)
    response = as_asked(
        send_file(
            path, mimetype=result.content_type, etag=result.key, conditional=True, max_age=FOR_EVER
        )
    )
    return _for_ever(response)


def _stream(result: Result) -> Response:
    """Pass a file of a bucket on piece by piece; whoever has it already is told so first."""
    response = Response(mimetype=result.content_type)
    response.set_etag(result.key)
    response.make_conditional(request)
    refuse_unmatched(response)
    if response.status_code == 200:
        response.content_length, response.response = _pieces(result)
    return _for_ever(response)


def _pieces(result: Result) -> tuple[int, Iterator[bytes]]:
    try:
        return current.parts().storage.stream(result.key)
    except FileNotFoundError as error:
        raise NotFound(GONE) from error


def _for_ever(response: Response) -> Response:
    """Let anybody keep it. Whatever it holds, a browser that opens it runs nothing."""
    response.cache_control.public = True
    response.cache_control.max_age = FOR_EVER
    response.cache_control.immutable = True
    response.headers["Content-Security-Policy"] = POLICY
    return response


def _send_to_storage(result: Result) -> AnyResponse:
    url = current.parts().storage.presigned_url(result.key, SIGNED_SECONDS)
    assert url is not None
    response = redirect(url)
    response.cache_control.private = True
    response.cache_control.max_age = KEPT_SECONDS
    return response
