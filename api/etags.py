"""Answers that a client may keep and ask about: ETags from row versions, before any serialising."""

import hmac
import json

from flask import Response, g, request
from werkzeug.exceptions import HTTPException, PreconditionFailed

from api import current

# Changes when the shape of an answer does: rows that stayed the same must then be sent again.
SHAPE = 3


class NotModified(HTTPException):
    """The client has it already."""

    code = 304
    description = "Not modified"

    def get_response(self, *_args: object, **_kwargs: object) -> Response:
        """Return an answer without a body; `stamp` gives it its headers."""
        return Response(status=304)


def revalidate(*versions: object) -> None:
    """Give this answer a tag made from `versions`; raise `NotModified` if the client has it.

    The tag is weak: it promises the same facts, not the same bytes.
    """
    g.etag = tag_of(request.endpoint, *versions)
    if request.if_none_match.contains_weak(g.etag):
        raise NotModified


def tag_of(kind: str | None, *versions: object) -> str:
    """32 hexadecimal digits that change with `versions`, and with how answers look. They are made
    with `SECRET_KEY`, because what that signs (cursors, addresses of previews) stands in them."""
    settings = current.settings()
    facts = json.dumps([SHAPE, settings.public_base_url, kind, *versions])
    return hmac.new(settings.secret_key.encode(), facts.encode(), "sha256").hexdigest()[:32]


def stamp(response: Response) -> Response:
    """Only its owner's cache may keep an answer, and asks before it uses it again. One that is
    written bit by bit says itself who may keep it."""
    if not response.is_streamed:
        response.headers["Cache-Control"] = "private, no-cache"
    response.vary.add("Authorization")
    if "etag" in g and response.status_code in {200, 304}:
        response.set_etag(g.etag, weak=True)
    return response


def refuse_unmatched(response: Response) -> Response:
    """Where a file is not the one of `If-Match`, werkzeug answers 412 with all of it: raise that
    as an error instead."""
    if response.status_code == 412:
        response.close()
        raise PreconditionFailed
    return response
