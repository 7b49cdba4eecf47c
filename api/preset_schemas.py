"""The shapes of prompt presets, in camelCase."""

from marshmallow import fields

from api.fields import Moment, Prompt
from api.option_schemas import OptionsSchema
from api.schemas import Shape


class PresetContentSchema(Shape):
    """What a preset holds. What its options leave out is chosen anew for each order."""

    name = Prompt(100, required=True, metadata={"example": "Window display"})
    prompt = Prompt(2000, required=True, metadata={"example": "white background, brighter"})
    options = fields.Nested(OptionsSchema, load_default=dict)


class PresetSchema(PresetContentSchema):
    """A preset of the instance."""

    id = fields.Integer(required=True, metadata={"minimum": 1})
    created_at = Moment(required=True)
    updated_at = Moment(required=True)


class PresetsSchema(Shape):
    """All of them, by name: an instance has at most 100."""

    presets = fields.List(fields.Nested(PresetSchema), required=True)
