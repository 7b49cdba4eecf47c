"""The shapes of what may be chosen for an image, and the models to choose from, in camelCase."""

from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from api import current
from api.fields import Text
from api.schemas import Shape
from config.offers import MODEL, RESOLUTIONS
from models.image_models import EVERY_RATIO, OUTPUT_FORMATS, ImageModel, PriceList

ASPECT_RATIO = {
    "description": "The shape of the result. Not every model takes every one: see `/api/models`.",
    "example": "1:1",
}
QUALITY = {
    "description": "How well the stored JPG is compressed: 100 is the least. Without it the result"
    " is kept as the model made it. Not for `png`.",
    "example": 85,
}
MODEL_NAME = {
    "description": "One of `/api/models`; by default the first of them.",
    "example": "google/nano-banana",
}
RESOLUTION = {
    "description": "One of those that its model is offered with; by default the first of them. Not"
    " for a model without."
}


class OptionsSchema(Shape):
    """What may be chosen for an image beside its prompt."""

    aspect_ratio = fields.String(validate=validate.OneOf(EVERY_RATIO), metadata=ASPECT_RATIO)
    output_format = fields.String(validate=validate.OneOf(OUTPUT_FORMATS))
    quality = fields.Integer(strict=True, validate=validate.Range(1, 100), metadata=QUALITY)
    model = Text(120, pattern=f"^{MODEL}$", metadata=MODEL_NAME)
    resolution = fields.String(validate=validate.OneOf(RESOLUTIONS), metadata=RESOLUTION)

    @validates_schema
    def _refuse_what_does_not_go_together(self, data: dict[str, Any], **_: Any) -> None:
        """JSON Schema could not say it: the models are a setting."""
        prices = price_list()
        model = prices.model(data.get("model"))
        if model is None:
            offered = ", ".join(each.name for each in prices.models)
            raise ValidationError({"model": [f"Must be one of {offered}."]})
        faults = {name: [fault] for name, fault in _faults(model, data).items()}
        if faults:
            raise ValidationError(faults)


class PriceSchema(Shape):
    """What one image costs. `resolution` is absent for a model that has no choice of them."""

    resolution = fields.String(validate=validate.OneOf(RESOLUTIONS))
    credits = fields.Integer(required=True, metadata={"minimum": 1})


class ModelSchema(Shape):
    """A model that may be ordered, and what it takes."""

    model = fields.String(required=True, attribute="name")
    prices = fields.List(
        fields.Nested(PriceSchema),
        required=True,
        metadata={"description": "The first is that of an order which names no resolution."},
    )
    aspect_ratios = fields.List(fields.String(), required=True)
    output_formats = fields.List(fields.String(), required=True)
    most_reference_images = fields.Integer(required=True)


class ModelsSchema(Shape):
    """The models that may be ordered; the first is what an order that names none gets."""

    models = fields.List(fields.Nested(ModelSchema), required=True)


def price_list() -> PriceList:
    """What this service offers, and for how much."""
    return current.parts().prices


def _faults(model: ImageModel, chosen: dict[str, Any]) -> dict[str, str]:
    """What is wrong for this model, by the field's name outside."""
    faults = {}
    if chosen.get("aspect_ratio") not in {None, *model.aspect_ratios}:
        faults["aspectRatio"] = f"{model.name} does not take {chosen['aspect_ratio']}."
    if chosen.get("resolution") not in {None, *model.resolutions}:
        some = ", ".join(model.resolutions)
        faults["resolution"] = (
            f"Must be one of {some} for {model.name}."
            if some
            else f"{model.name} has no choice of resolutions: leave it out."
        )
    if chosen.get("quality") and chosen.get("output_format") == "png":
        faults["quality"] = "A PNG has no quality: leave it out, or order a jpg."
    return faults
