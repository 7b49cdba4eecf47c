"""The OpenAPI document, made from the views: flask-smorest with our own problems in it."""

from collections.abc import Callable, Sequence
from functools import cached_property
from http import HTTPStatus
from typing import Any, TypeVar, cast

import flask_smorest
import marshmallow
from flask import Flask, current_app

from api import errors, paths
from api.auth import authenticate
from api.etags import stamp
from api.input import StrictParser, refuse_unknown_query
from api.limits import count_request
from api.problems import CONTENT_TYPE, camel_case
from api.schemas import ProblemSchema
from models import errors as domain

View = TypeVar("View", bound=Callable[..., Any])

TEXT = {"type": "string"}
REQUEST_ID = {"X-Request-Id": {"description": "Names this request in the logs.", "schema": TEXT}}
CACHING = REQUEST_ID | {
    "ETag": {"description": "Changes when the answer does.", "schema": TEXT},
    "Cache-Control": {"description": "private, no-cache", "schema": TEXT},
    "Vary": {"description": "Authorization", "schema": TEXT},
}
IF_NONE_MATCH = {
    "name": "If-None-Match",
    "in": "header",
    "description": "Tags of answers that the client has: 304 if one of them is current.",
    "schema": TEXT,
}
HEADERS = {
    304: CACHING,
    401: {"WWW-Authenticate": {"description": "Bearer", "schema": TEXT}},
    405: {"Allow": {"description": "The methods that there are.", "schema": TEXT}},
    409: {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}},
    429: {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}},
    503: {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}},
}
FACTS: dict[str, Any] = {
    "errors": {"images.0.prompt": ["Must not be blank."]},
    "cost": 45,
    "balance": 30,
    "retried_by": 14,
    "limit": 100,
    "waiting": 96,
}


class Blueprint(flask_smorest.Blueprint):  # type: ignore[misc]
    """Routes with their document; unknown query parameters are refused on every one of them."""

    ARGUMENTS_PARSER = StrictParser()

    def __init__(self, name: str, prefix: str, description: str, *, private: bool) -> None:
        super().__init__(name, __name__, url_prefix=prefix, description=description)
        self.private = private
        if private:
            self.before_request(authenticate)
            self.before_request(count_request)
            self.after_request(stamp)
        self.before_request(refuse_unknown_query)

    def route(self, rule: str, **options: Any) -> Callable[[View], View]:
        """Register a view at an address, with the refusals that every view shares."""
        common = (400, 405, 413, 500, *((401, 429, 503) if self.private else ()))

        def register(view: View) -> View:
            documented: View = self.refuses(*common)(view)
            if self.private:
                documented = self.doc(security=[{"instance": []}])(documented)
            registered: View = super(Blueprint, self).route(rule, **options)(documented)
            return registered

        return register

    def arguments(self, schema: type[marshmallow.Schema], **options: Any) -> Callable[[View], View]:
        """Read a part of the request by a schema, which is made once: of a class, webargs would
        make one with every request."""
        decorator: Callable[[View], View] = super().arguments(schema(), **options)
        return decorator

    def response(self, status: int, schema: Any = None, **options: Any) -> Callable[[View], View]:
        """Answer with what the view returns, in the shape of a schema."""
        headers = REQUEST_ID | options.pop("headers", {})
        decorator: Callable[[View], View] = super().response(
            status, schema, headers=headers, **options
        )
        return decorator

    def alt_response(self, status: int, **options: Any) -> Callable[[View], View]:
        """Document another answer."""
        return _unwrapped(super().alt_response(status, **options))

    def doc(self, **facts: Any) -> Callable[[View], View]:
        """Add to the document by hand."""
        return _unwrapped(super().doc(**facts))

    def refuses(self, *statuses: int) -> Callable[[View], View]:
        """Document other answers of a view: problems, or 304."""

        def decorate(view: View) -> View:
            for status in statuses:
                view = self.alt_response(status, response=HTTPStatus(status).name)(view)
            return view

        return decorate


def _unwrapped(document: Callable[..., Any]) -> Callable[[View], View]:
    """Take over what a decorator of flask-smorest documents, without the function that it puts
    around the view: there are eight of them, and every request would go through them all."""

    def note(view: View) -> View:
        view._apidoc = document(view)._apidoc  # type: ignore[attr-defined]
        return view

    return note


class Api(flask_smorest.Api):  # type: ignore[misc]
    """flask-smorest whose errors are our problems, in the answers and in the document."""

    ERROR_SCHEMA = ProblemSchema
    DEFAULT_ERROR_RESPONSE_NAME = None

    def _register_error_handlers(self) -> None:
        """`api.errors` has the handlers."""

    def _register_responses(self) -> None:
        for status, kinds in _kinds_by_status().items():
            examples = {kind.code: {"value": _example(kind)} for kind in kinds}
            content = {"schema": ProblemSchema, "examples": examples}
            self._register_response(status, content={CONTENT_TYPE: content})
        self._register_response(304)

    def _register_response(self, status: int, **content: Any) -> None:
        response = {
            "description": HTTPStatus(status).phrase,
            "headers": REQUEST_ID | HEADERS.get(status, {}),
        }
        self.spec.components.response(HTTPStatus(status).name, response | content, lazy=True)


class Document:
    """The OpenAPI document of these blueprints, made when it is first asked for: that takes longer
    than all the rest of a start. Two threads may both make it; the one that is not kept does no
    harm."""

    def __init__(self, app: Flask, blueprints: Sequence[Blueprint]) -> None:
        self._app = app
        self._blueprints = blueprints

    @cached_property
    def content(self) -> dict[str, Any]:
        """The whole of it."""
        api = _open_api(self._app)
        for blueprint in self._blueprints:
            name = blueprint.name
            blueprint.register_views_in_doc(api, self._app, api.spec, name=name, parameters=None)
            api.spec.tag({"name": name, "description": blueprint.description})
        content: dict[str, Any] = api.spec.to_dict()
        return content


def register(app: Flask, blueprints: Sequence[Blueprint]) -> None:
    """Give `app` the routes of these blueprints, and their document."""
    for blueprint in blueprints:
        app.register_blueprint(blueprint)
    app.extensions[KEY] = Document(app, blueprints)


def document() -> dict[str, Any]:
    """The OpenAPI document of the current app."""
    return cast("Document", current_app.extensions[KEY]).content


def _open_api(app: Flask) -> Api:
    app.config["API_TITLE"] = "Darkroom"
    app.config["API_VERSION"] = "1"
    app.config["OPENAPI_VERSION"] = "3.1.0"
    app.config["API_SPEC_OPTIONS"] = {"info": {"description": DESCRIPTION}}
    api = Api(app)
    for name, description in SCHEMES.items():
        scheme = {"type": "http", "scheme": "bearer", "description": description}
        api.spec.components.security_scheme(name, scheme)
    for converter, schema in paths.SCHEMAS.items():
        api.register_converter(converter, lambda _converter, schema=schema: schema)
    return api


KEY = "darkroom-document"
DESCRIPTION = "Optimizes the photographs of shops' products with google/nano-banana."
SCHEMES = {
    "instance": "The token of an instance: `flask --app wsgi instances create` prints it once.",
    "metrics": "`METRICS_TOKEN`.",
}


# Errors that no request can meet.
OF_THE_COMMAND_LINE = {domain.AlreadyExists}


def _kinds_by_status() -> dict[int, list[errors.Kind]]:
    found: dict[int, list[errors.Kind]] = {}
    for error, kind in errors.KINDS.items():
        if error in OF_THE_COMMAND_LINE:
            continue
        if kind.code not in {known.code for known in found.get(kind.status, [])}:
            found.setdefault(kind.status, []).append(kind)
    return found


def _example(kind: errors.Kind) -> dict[str, Any]:
    return {
        "type": "about:blank",
        "title": HTTPStatus(kind.status).phrase,
        "status": kind.status,
        "code": kind.code,
        "detail": kind.detail or "What exactly went wrong, in a sentence.",
        "requestId": "4f0c2f6a",
        **{camel_case(fact): FACTS[fact] for fact in kind.facts},
    }
