"""The shapes of what is asked for pictures, in camelCase."""

from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from api.fields import ImageUrl, PreviewUrl, SourceUrl, Width
from api.schemas import IMAGE_URL, PREVIEW_URL, Shape


class PreviewsQuery(Shape):
    """Which image is to be shown."""

    url = ImageUrl(required=True, metadata=IMAGE_URL)


class PreviewSchema(Shape):
    """Where an image is, and where this service shows it."""

    image_url = SourceUrl(required=True)
    preview_url = PreviewUrl(attribute="image_url", metadata=PREVIEW_URL)


class PreviewQuery(Shape):
    """How wide a preview is to be."""

    width = Width(load_default=640)


class UploadedQuery(Shape):
    """How wide an upload is to be."""

    width = Width(metadata={"description": "Scaled down, as WebP; without it the file itself."})


class ResultQuery(Shape):
    """How wide a result is to be, or that it is to be saved."""

    width = Width(metadata={"description": "Scaled down, as WebP; without it the file itself."})
    download = fields.String(
        validate=validate.OneOf(["true"]),
        metadata={
            "description": "The file itself, from here and never by a redirect, to be saved under"
            " its key's name. Not together with `width`."
        },
    )

    @validates_schema
    def _refuse_both(self, data: dict[str, Any], **_: Any) -> None:
        if len(data) > 1:
            raise ValidationError({"download": ["Not together with `width`."]})
