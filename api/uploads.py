"""/api/uploads: pictures that a shop has on its own disk, to be ordered like any other; and
/uploads/<key>, where whoever knows 128 random bits is shown one."""

import hashlib
import secrets
from typing import Any

from werkzeug.wrappers import Response as AnyResponse

from api import current, cursors
from api.cleaning import Cleaned, clean
from api.etags import revalidate
from api.openapi import CACHING as PRIVATELY
from api.openapi import IF_NONE_MATCH, REQUEST_ID, TEXT, Blueprint
from api.picture_schemas import UploadedQuery
from api.pictures import BINARY
from api.receiving import Received, receive
from api.results import CACHING
from api.serving import in_width, whole
from api.upload_schemas import (
    FORM,
    UPLOAD,
    UPLOAD_PAGE,
    UploadPageSchema,
    UploadSchema,
    UploadsQuery,
)
from models import uploads
from models.tables import Upload

blp = Blueprint("uploads", "/api/uploads", "Upload pictures.", private=True)
shown = Blueprint("uploaded pictures", "/uploads", "Show uploads.", private=False)

LOCATION = {"Location": {"description": "The upload.", "schema": TEXT}}


@blp.route("", methods=["POST"])
@blp.doc(requestBody=FORM)
@blp.response(201, UploadSchema, example=UPLOAD, headers=LOCATION)
@blp.refuses(408, 415)
def upload_picture() -> tuple[Upload, dict[str, str]]:
    """Upload a picture.

    It is opened, turned upright and encoded anew, so that nothing is kept of its file but its
    pixels: not where it was taken, and by whom. Until an order uses it, it is kept for a day.
    """
    upload = _take_in()
    return upload, {"Location": current.url(f"/api/uploads/{upload.id}")}


@blp.route("", parameters=[IF_NONE_MATCH])
@blp.arguments(UploadsQuery, location="query")
@blp.response(200, UploadPageSchema, example=UPLOAD_PAGE, headers=PRIVATELY)
@blp.refuses(304)
def list_uploads(query: dict[str, Any]) -> dict[str, Any]:
    """List uploads, newest first."""
    cursor, limit = query.get("cursor"), query["limit"]
    before = int(cursors.read("uploads", cursor)) if cursor else None
    found = uploads.page(current.instance(), before, limit + 1)
    page, more = found[:limit], found[limit:]
    next_cursor = cursors.write("uploads", page[-1].id) if more else None
    revalidate(query, next_cursor, *map(_facts, page))
    return {"uploads": page, "next_cursor": next_cursor}


@blp.route("/<id:upload_id>", parameters=[IF_NONE_MATCH])
@blp.response(200, UploadSchema, example=UPLOAD, headers=PRIVATELY)
@blp.refuses(304, 404)
def show_upload(upload_id: int) -> Upload:
    """Show what is known of an upload."""
    upload = uploads.one(current.instance(), upload_id)
    revalidate(_facts(upload))
    return upload


@blp.route("/<id:upload_id>", methods=["DELETE"])
@blp.response(204, description="It is shown to nobody any more.")
@blp.refuses(404, 409)
def delete_upload(upload_id: int) -> None:
    """Delete an upload that no order uses."""
    uploads.discard(current.instance(), upload_id)


@shown.route("/<result_key:key>")
@shown.arguments(UploadedQuery, location="query")
@shown.response(200, BINARY, content_type="image/*", description="The picture.", headers=CACHING)
@shown.alt_response(
    206, schema=BINARY, content_type="image/*", description="A range of it.", headers=REQUEST_ID
)
@shown.alt_response(
    302,
    description="The picture is at Location, for a few minutes.",
    headers=REQUEST_ID | {"Location": {"description": "A presigned URL.", "schema": TEXT}},
)
@shown.refuses(304, 404, 412, 416, 503)
def show_uploaded(query: dict[str, Any], key: str) -> AnyResponse:
    """Fetch an uploaded picture; the address needs no token.

    With `width` it comes scaled down (never up) as WebP, always from here.
    """
    picture = uploads.shown(key)
    return in_width(picture, query["width"]) if "width" in query else whole(picture)


def _take_in() -> Upload:
    """Few may send at a time, and fewer have their pictures decoded: both take a thread, and each
    its share of memory."""
    parts, rooms = current.parts(), current.parts().rooms
    with rooms.uploads.place():
        received = receive(parts.settings.upload_max_bytes)
        with rooms.cleaning.place():
            cleaned = clean(received.data)
        return _store(received, cleaned)


def _store(received: Received, cleaned: Cleaned) -> Upload:
    """The row comes first: what is stored when this process dies is found and deleted by it."""
    parts, picture = current.parts(), _picture(received, cleaned)
    upload_id = uploads.reserve(current.instance(), picture)
    parts.storage.put(picture.key, cleaned.data, cleaned.content_type)
    return uploads.keep(upload_id, parts.settings.uploads_expire_after)


def _picture(received: Received, cleaned: Cleaned) -> uploads.Picture:
    return uploads.Picture(
        key=f"{secrets.token_hex(16)}.{cleaned.extension}",
        sha256=hashlib.sha256(received.data).hexdigest(),
        file_name=received.name,
        content_type=cleaned.content_type,
        bytes=len(cleaned.data),
        width=cleaned.width,
        height=cleaned.height,
    )


def _facts(upload: Upload) -> tuple[int, str | None]:
    """What changes whenever an upload does."""
    return upload.id, upload.expires_at.isoformat() if upload.expires_at else None
