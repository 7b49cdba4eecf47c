"""Shops' own pictures, scaled down, from this service's own origin.

A page that shows them tells no other host what its reader looks at, and works under a policy that
allows none. Nothing is kept here: the browser keeps what it got for a day, and a CDN may stand in
front of `/previews/` and `/results/`, because neither needs a token.
"""

from typing import Any

import structlog
from flask import Response

from api import current, examples
from api.etags import revalidate
from api.openapi import CACHING as PRIVATELY
from api.openapi import IF_NONE_MATCH, TEXT, Blueprint
from api.picture_schemas import PreviewQuery, PreviewSchema, PreviewsQuery
from api.pictures import BINARY, picture
from api.preview_tokens import preview_url, source_of
from api.scaling import scale

log = structlog.get_logger(__name__)

blp = Blueprint("previews", "/previews", "Show shops' images scaled down.", private=False)
addresses = Blueprint(
    "preview addresses", "/api/previews", "Where an image is shown.", private=True
)

A_DAY = 24 * 3600
CACHING = {
    "Cache-Control": {"description": "public, for a day", "schema": TEXT},
    "ETag": {"description": "Changes when the picture does.", "schema": TEXT},
}


@addresses.route("", parameters=[IF_NONE_MATCH])
@addresses.arguments(PreviewsQuery, location="query")
@addresses.response(200, PreviewSchema, example=examples.PREVIEW, headers=PRIVATELY)
@addresses.refuses(304)
def find_preview(query: dict[str, Any]) -> dict[str, str]:
    """Check the address of an image as an order would, and tell where its preview is.

    Nothing is fetched.
    """
    url: str = query["url"]
    revalidate(url, preview_url(url))
    return {"image_url": url}


@blp.route("/<preview_token:token>", parameters=[IF_NONE_MATCH])
@blp.arguments(PreviewQuery, location="query")
@blp.response(200, BINARY, content_type="image/webp", description="WebP.", headers=CACHING)
@blp.refuses(304, 404, 412, 503)
def show_preview(query: dict[str, Any], token: str) -> Response:
    """Fetch a shop's image and show it scaled down, never up.

    The address is a `previewUrl`; it needs no token. Of an animation, the first picture is shown.
    """
    url, parts = source_of(token), current.parts()
    with parts.rooms.sources.place():
        data = parts.sources.fetch(url)
        with parts.rooms.scaling.place():
            return picture(scale(data, query["width"]), A_DAY)
