"""The shapes of orders and of what became of their images, in camelCase."""

from typing import Any

from marshmallow import ValidationError, fields, post_load, validate, validates_schema

from api.fields import Few, Flag, ImageUrl, Moment, PreviewUrl, Prompt, ResultUrl, SourceUrl, Text
from api.option_schemas import ASPECT_RATIO, OptionsSchema, price_list
from api.schemas import (
    IMAGE_URL,
    MOST_IMAGES,
    PREVIEW_URL,
    ProgressSchema,
    Shape,
    WaitingSchema,
)
from models.explanations import EXPLANATIONS
from models.image_models import EVERY_RATIO, MATCH, MOST_REFERENCES, OUTPUT_FORMATS
from models.orders import ImageOrder, JobOrder
from models.tables import Status

REUSE = {
    "description": "Whether a result that was made of the same uploads, with the same prompt and"
    " options, may be given again: at once and for free. With `false` all images are made anew."
}
REFERENCES = {
    "description": "Further images for the model to look at: a style, a background, another"
    " product. The same addresses are taken as for `imageUrl`."
}


class ImageOrderSchema(OptionsSchema):
    """One image that is to be optimized."""

    image_id = Text(255, required=True, metadata={"example": "cup-front"})
    image_url = ImageUrl(required=True, metadata=IMAGE_URL)
    prompt = Prompt(2000, required=True, metadata={"example": "white background, brighter"})
    aspect_ratio = fields.String(
        load_default=MATCH, validate=validate.OneOf(EVERY_RATIO), metadata=ASPECT_RATIO
    )
    output_format = fields.String(
        load_default=OUTPUT_FORMATS[0], validate=validate.OneOf(OUTPUT_FORMATS)
    )
    reference_image_urls = Few(
        ImageUrl(), MOST_REFERENCES, least=0, load_default=list, metadata=REFERENCES
    )

    @post_load
    def _to_order(self, data: dict[str, Any], **_: Any) -> ImageOrder:
        """Write down which model it is: another may be the default when its turn comes."""
        references = tuple(data.pop("reference_image_urls"))
        model = price_list().model(data.get("model"))
        assert model is not None
        data["model"] = model.name
        data["resolution"] = model.resolution(data.get("resolution"))
        return ImageOrder(**data, reference_urls=references)


class JobOrderSchema(Shape):
    """Up to 10 images of one product; no two of them have the same `imageId`."""

    product_id = Text(255, required=True, metadata={"example": "cup"})
    product_name = Text(500, required=True, metadata={"example": "The blue cup"})
    images = Few(fields.Nested(ImageOrderSchema), MOST_IMAGES, required=True)
    reuse = Flag(load_default=True, metadata=REUSE)

    @validates_schema
    def _refuse_twins(self, data: dict[str, Any], **_: Any) -> None:
        ids = [image.image_id for image in data["images"]]
        twins = [n for n, image_id in enumerate(ids) if image_id in ids[:n]]
        if twins:
            message = {"imageId": ["Another image of this job has this id."]}
            raise ValidationError({"images": dict.fromkeys(twins, message)})

    @post_load
    def _to_order(self, data: dict[str, Any], **_: Any) -> JobOrder:
        return JobOrder(**data | {"images": tuple(data["images"])})


class ItemSchema(WaitingSchema):
    """One image of a job."""

    id = fields.Integer(required=True, metadata={"minimum": 1})
    image_id = fields.String(required=True)
    image_url = SourceUrl(required=True)
    preview_url = PreviewUrl(attribute="image_url", metadata=PREVIEW_URL)
    prompt = fields.String(required=True)
    aspect_ratio = fields.String(required=True)
    output_format = fields.String(required=True)
    quality = fields.Integer(metadata={"description": "Absent: as the model made it."})
    model = fields.String(required=True)
    resolution = fields.String(metadata={"description": "Only where its model has a choice."})
    reference_image_urls = fields.List(SourceUrl(), required=True, attribute="reference_urls")
    status = fields.String(required=True, validate=validate.OneOf(list(Status)))
    optimized_image_url = ResultUrl(
        attribute="result_key", metadata={"description": "Only of an image that is DONE."}
    )
    reused = fields.Boolean(
        metadata={
            "description": "`true` where the result was made before, for the same upload, prompt"
            " and options: it cost nothing."
        }
    )
    error = fields.String(metadata={"description": "Only of an image that has FAILED."})
    error_code = fields.String(
        validate=validate.OneOf(list(EXPLANATIONS)),
        metadata={"description": "Only of an image that has FAILED."},
    )
    retryable = fields.Boolean(
        metadata={
            "description": "Only of an image that has FAILED: whether ordering the same again makes"
            " sense."
        }
    )
    credits_charged = fields.Integer(
        required=True,
        metadata={"minimum": 0, "description": "0 where the credits were given back."},
    )
    created_at = Moment(required=True)
    updated_at = Moment(required=True)
    cancel_requested_at = Moment(
        metadata={
            "description": "When it was to be canceled although it was sent. While it is RUNNING,"
            " Replicate's answer is awaited."
        }
    )


class JobDetailSchema(Shape):
    """A job and its images in the order in which they were submitted."""

    job = fields.Nested(ProgressSchema, required=True)
    items = fields.List(fields.Nested(ItemSchema), required=True)
