"""GET /openapi.json and /docs: the document, and a page to try it that needs no internet."""

from pathlib import Path

import flask
import flask_swagger_ui  # type: ignore[import-untyped]
from flask import Response, jsonify, send_from_directory

from api.files import as_asked
from api.openapi import TEXT, Blueprint, document

blp = Blueprint("docs", "", "This document.", private=False)
# The files of the page: they belong to no API.
assets = flask.Blueprint("docs-assets", __name__)

OURS = Path(__file__).parent / "static"
SWAGGER_UI = Path(flask_swagger_ui.__file__).parent / "dist"
PAGE = (OURS / "docs.html").read_text(encoding="utf-8")
# Swagger UI's own page starts by an inline script, which this policy forbids: so we have our own.
# Its style sheet holds small pictures as data.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self';"
    " img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none';"
    " frame-ancestors 'none'"
)


@blp.route("/openapi.json")
@blp.response(200, {"type": "object"}, description="OpenAPI 3.1")
def show_openapi() -> Response:
    """Show this document."""
    return jsonify(document())


@blp.route("/docs")
@blp.response(200, TEXT, content_type="text/html; charset=utf-8", description="A page.")
def show_docs() -> Response:
    """Show a page that explains the API and lets you try it."""
    return Response(PAGE, mimetype="text/html", headers={"Content-Security-Policy": POLICY})


@assets.get("/docs/docs.js")
def send_start() -> Response:
    """Send what starts Swagger UI."""
    return as_asked(send_from_directory(OURS, "docs.js", max_age=0))


@assets.get("/docs/<any('swagger-ui.css', 'swagger-ui-bundle.js', 'favicon-32x32.png'):name>")
def send_swagger_ui(name: str) -> Response:
    """Send a file of Swagger UI."""
    return as_asked(send_from_directory(SWAGGER_UI, name, max_age=3600))
