"""Answers that are pictures: whatever they hold, a browser that opens one runs nothing."""

import hashlib

from flask import Response, request

from api.etags import refuse_unmatched

BINARY = {"type": "string", "format": "binary"}
POLICY = "default-src 'none'; sandbox"


def picture(
    webp: bytes, seconds: int, tag: str | None = None, *, immutable: bool = False
) -> Response:
    """Answer with a picture that anybody may keep for so long, or by 304 if the client has it.

    Without a `tag`, it is made from the bytes.
    """
    response = Response(webp, mimetype="image/webp")
    response.set_etag(tag or hashlib.sha256(webp).hexdigest()[:32])
    response.make_conditional(request)
    refuse_unmatched(response)
    response.cache_control.public = True
    response.cache_control.max_age = seconds
    response.cache_control.immutable = immutable
    response.headers["Content-Security-Policy"] = POLICY
    return response
