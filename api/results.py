"""GET /results/<key>: a finished image, for whoever knows its 128 random bits."""

from typing import Any

from werkzeug.wrappers import Response as AnyResponse

from api.openapi import REQUEST_ID, TEXT, Blueprint
from api.picture_schemas import ResultQuery
from api.pictures import BINARY
from api.serving import in_width, to_be_saved, whole
from models import reports

blp = Blueprint("results", "/results", "Fetch optimized images.", private=False)

CACHING = {
    "Cache-Control": {"description": "public, for a year, immutable", "schema": TEXT},
    "ETag": {"description": "The key.", "schema": TEXT},
    "Content-Disposition": {
        "description": "With `download`: attachment, and a name.",
        "schema": TEXT,
    },
}


@blp.route("/<result_key:key>")
@blp.arguments(ResultQuery, location="query")
@blp.response(200, BINARY, content_type="image/*", description="The image.", headers=CACHING)
@blp.alt_response(
    206, schema=BINARY, content_type="image/*", description="A range of it.", headers=REQUEST_ID
)
@blp.alt_response(
    302,
    description="The image is at Location, for a few minutes.",
    headers=REQUEST_ID | {"Location": {"description": "A presigned URL.", "schema": TEXT}},
)
@blp.refuses(304, 404, 412, 416, 503)
def show_result(query: dict[str, Any], key: str) -> AnyResponse:
    """Fetch an optimized image.

    The address is an image's `optimizedImageUrl`; it needs no token. With `width` it comes scaled
    down (never up) as WebP, and with `download` as a file to be saved, both always from here.
    """
    result = reports.result(key)
    if "width" in query:
        return in_width(result, query["width"])
    return to_be_saved(result) if "download" in query else whole(result)
