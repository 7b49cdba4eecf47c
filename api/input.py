"""What a request holds, read strictly: the parser in front of every marshmallow schema."""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, NoReturn

import flask
import marshmallow
from flask import current_app, g, request
from webargs.flaskparser import FlaskParser
from werkzeug.exceptions import RequestEntityTooLarge, UnsupportedMediaType

from api import strict_json
from api.problems import InvalidInput

LARGEST_BODY = 256 * 1024
# What werkzeug stops reading at: one byte more tells that a body is too large.
READ_AT_MOST = LARGEST_BODY + 1


class StrictParser(FlaskParser):
    """Reads bodies by `strict_json`, refuses repeated parameters, and leaves unknown ones to the
    schema, which refuses them. Headers alone may hold more than a schema knows."""

    DEFAULT_VALIDATION_STATUS = 400
    DEFAULT_UNKNOWN_BY_LOCATION = {"headers": marshmallow.EXCLUDE}  # noqa: RUF012

    def load_json(self, req: flask.Request, schema: marshmallow.Schema) -> Any:  # noqa: ARG002
        """Return the body's object.

        A body in chunks is cut by werkzeug without a word, one byte behind what the route takes.
        """
        if req.mimetype != "application/json" or req.content_encoding:
            raise UnsupportedMediaType
        body = req.get_data()
        if len(body) > g.get("largest_body", LARGEST_BODY):
            raise RequestEntityTooLarge
        return strict_json.parse(body)

    def load_querystring(
        self,
        req: flask.Request,
        schema: marshmallow.Schema,  # noqa: ARG002
    ) -> Any:
        """Return the query's parameters, each of which came once."""
        repeated = [name for name, values in req.args.lists() if len(values) > 1]
        if repeated:
            raise InvalidInput(
                {strict_json.join("", n): ["Given more than once."] for n in repeated}
            )
        return req.args.to_dict()

    def handle_error(
        self,
        error: marshmallow.ValidationError,
        *_args: object,
        **_options: object,
    ) -> NoReturn:
        """Turn marshmallow's tree of messages, which begins with the location, into paths."""
        (messages,) = error.messages_dict.values()
        errors: dict[str, list[str]] = {}
        for path, message in islice(_flat(messages, ""), strict_json.MOST_FAULTS):
            errors.setdefault(path or "body", []).append(message)
        raise InvalidInput(errors) from error


def refuse_unknown_query() -> None:
    """A view that declares no query parameters takes none."""
    view = current_app.view_functions.get(request.endpoint or "")
    if view is None or not request.args or request.method == "OPTIONS":
        return
    arguments = getattr(view, "_apidoc", {}).get("arguments", {})
    if not any(parameter["in"] == "query" for parameter in arguments.get("parameters", [])):
        unknown = islice(request.args, strict_json.MOST_FAULTS)
        raise InvalidInput({strict_json.join("", name): ["Unknown field."] for name in unknown})


def _flat(messages: object, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(messages, Mapping):
        for key, inner in messages.items():
            yield from _flat(inner, path if key == "_schema" else strict_json.join(path, str(key)))
    elif isinstance(messages, list):
        for inner in messages:
            yield from _flat(inner, path)
    else:
        yield path, str(messages)
