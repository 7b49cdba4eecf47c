"""The shapes of uploads, in camelCase."""

from marshmallow import fields, validate

from api.fields import Digits, Moment, UploadUrl
from api.schemas import Shape

KINDS = ("image/jpeg", "image/png", "image/webp")


class UploadSchema(Shape):
    """A picture that a shop uploaded, as it is kept: upright, and without what its file told
    besides its pixels."""

    id = fields.Integer(required=True, metadata={"minimum": 1})
    image_url = UploadUrl(
        attribute="key",
        required=True,
        metadata={
            "description": "What an order's `imageUrl` may be. Needs no token; takes `?width=`."
        },
    )
    file_name = fields.String(metadata={"description": "As its sender called it."})
    content_type = fields.String(required=True, validate=validate.OneOf(KINDS))
    width = fields.Integer(required=True, metadata={"description": "Pixels."})
    height = fields.Integer(required=True, metadata={"description": "Pixels."})
    bytes = fields.Integer(required=True)
    created_at = Moment(required=True)
    expires_at = Moment(
        metadata={"description": "When it is deleted; absent once an order has used it."}
    )


class UploadsQuery(Shape):
    """Which uploads to list."""

    limit = Digits(load_default=20, validate=validate.Range(min=1, max=100))
    cursor = fields.String(
        validate=validate.Length(min=1, max=200),
        metadata={"description": "The `nextCursor` of the page before."},
    )


class UploadPageSchema(Shape):
    """A page of uploads, newest first. `nextCursor` is null on the last one."""

    uploads = fields.List(fields.Nested(UploadSchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


UPLOAD = {
    "id": 7,
    "imageUrl": "/uploads/5d41402abc4b2a76b9719d911017c592.jpg",
    "fileName": "blue-cup.jpg",
    "contentType": "image/jpeg",
    "width": 3024,
    "height": 4032,
    "bytes": 2_204_160,
    "createdAt": "2026-01-31T09:29:00.000Z",
    "expiresAt": "2026-02-01T09:29:00.000Z",
}
UPLOAD_PAGE = {"uploads": [UPLOAD], "nextCursor": None}
FORM = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["file"],
                "properties": {
                    "file": {
                        "type": "string",
                        "format": "binary",
                        "description": "A JPEG, PNG or WebP picture, which is no animation.",
                    }
                },
                "additionalProperties": False,
            }
        }
    },
}
