"""From a row to what is shown of it, by the fields of a schema.

It does what marshmallow's `dump` does for our schemas, for a fifth of the cost: a page of jobs has
hundreds of values, and most of them are shown as they are.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import SimpleNamespace
from typing import Any, NamedTuple

from marshmallow import fields, missing


class Step(NamedTuple):
    """How one value is shown: under which key, of which attribute, and turned into what. Null is
    left out unless it is `nullable`: it says something then."""

    key: str
    attribute: str
    turned: Callable[[Any], Any]
    nullable: bool


class Showing(NamedTuple):
    """What a schema shows: what is the same of every object, and the rest."""

    constants: Mapping[str, Any]
    steps: Sequence[Step]

    @classmethod
    def by(cls, dump_fields: Mapping[str, fields.Field[Any]]) -> "Showing":
        """What is shown by a schema's bound fields."""
        keys = {name: field.data_key or name for name, field in dump_fields.items()}
        constants = {
            keys[name]: field.constant
            for name, field in dump_fields.items()
            if isinstance(field, fields.Constant)
        }
        steps = [
            Step(keys[name], field.attribute or name, _turned(field, name), field.allow_none)
            for name, field in dump_fields.items()
            if not isinstance(field, fields.Constant)
        ]
        return cls(constants, steps)

    def show(self, obj: Any) -> dict[str, Any]:
        """Return what is shown of an object, or of a mapping with its facts."""
        if isinstance(obj, Mapping):
            obj = SimpleNamespace(**obj)
        shown = {**self.constants}
        for key, attribute, turned, nullable in self.steps:
            value = getattr(obj, attribute, missing)
            if value is missing:
                continue
            if value is not None:
                value = turned(value)
            if value is not None or nullable:
                shown[key] = value
        return shown


def _turned(field: fields.Field[Any], name: str) -> Callable[[Any], Any]:
    """What a field makes of its value; texts and numbers take no method of marshmallow's."""
    kind: Any = type(field)
    if kind._serialize is fields.String._serialize:
        return str
    if isinstance(field, fields.Number) and not field.as_string:
        number: Callable[[Any], Any] = field.num_type
        return number
    return partial(field._serialize, attr=name, obj=None)
