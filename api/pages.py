"""The pages of `web/`: plain files that use nothing but the REST API.

The token never reaches them here: a browser keeps it, and sends it to the API alone.
"""

from pathlib import Path

import flask
from flask import Response, send_from_directory

from api.files import as_asked

blp = flask.Blueprint("pages", __name__)

WEB = Path(__file__).parent.parent / "web"
# Everything comes from here and nothing may be made of text: a script that got into a shop's
# product name stays text.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none';"
    " require-trusted-types-for 'script'; trusted-types 'none'"
)
# What the system thinks of these names differs, and with `nosniff` a wrong type is not run.
TYPES = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}


@blp.get("/", defaults={"page": "optimize"})
@blp.get("/<any('ongoing', 'completed', 'usage'):page>")
def show_page(page: str) -> Response:
    """Send one of the pages; a browser asks each time whether it has changed."""
    answer = as_asked(send_from_directory(WEB, f"{page}.html", max_age=0))
    answer.headers["Content-Security-Policy"] = POLICY
    return answer


@blp.get("/web/<any('css', 'js'):kind>/<part>")
def send_part(kind: str, part: str) -> Response:
    """Send a style sheet or a module."""
    return as_asked(send_from_directory(WEB / kind, part, mimetype=TYPES[kind], max_age=0))


@blp.get("/web/favicon.svg")
def send_sign() -> Response:
    """Send the sign of the service."""
    return as_asked(send_from_directory(WEB, "favicon.svg", mimetype=TYPES["svg"], max_age=3600))
