"""What may stand in an address: anything else is an address that does not exist."""

from typing import Any

from flask import Flask
from werkzeug.routing import BaseConverter, ValidationError

LARGEST_ID = 2**63 - 1
LONGEST_ID = r"[1-9][0-9]{0,18}"


class Id(BaseConverter):
    """A row's id in plain digits, no larger than a database can hold."""

    regex = LONGEST_ID

    def to_python(self, value: str) -> int:
        """Return the id."""
        if int(value) > LARGEST_ID:
            raise ValidationError
        return int(value)


class ResultKey(BaseConverter):
    """The unguessable name of a result."""

    regex = r"[0-9a-f]{32}\.(?:jpg|png|webp)"


class Reference(BaseConverter):
    """The unguessable name of an attempt."""

    regex = r"[A-Za-z0-9_-]{32}"


class ProductId(BaseConverter):
    """A product's id as its catalogue gives it: one part of a path."""

    regex = r"[^/]{1,255}"
    part_isolating = True


class PreviewToken(BaseConverter):
    """An image's address and its signature, which is 43 characters."""

    regex = r"[A-Za-z0-9_-]{1,8000}\.[A-Za-z0-9_-]{43}"


SCHEMAS: dict[type[BaseConverter], dict[str, Any]] = {
    Id: {"type": "integer", "format": "int64", "minimum": 1, "maximum": LARGEST_ID},
    ResultKey: {"type": "string", "pattern": f"^{ResultKey.regex}$"},
    PreviewToken: {"type": "string", "pattern": f"^{PreviewToken.regex}$"},
    Reference: {"type": "string", "pattern": f"^{Reference.regex}$"},
    ProductId: {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[^/]+$"},
}


def register(app: Flask) -> None:
    """Teach `app` these parts. A doubled slash within a path is no address: a redirect would be
    absolute and made from the Host header."""
    app.url_map.converters["id"] = Id
    app.url_map.converters["result_key"] = ResultKey
    app.url_map.converters["reference"] = Reference
    app.url_map.converters["product_id"] = ProductId
    app.url_map.converters["preview_token"] = PreviewToken
    app.url_map.merge_slashes = False
