"""GET /metrics: for Prometheus."""

from flask import Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from api import current, measures
from api.auth import authenticate_scraper
from api.openapi import TEXT, Blueprint

blp = Blueprint("metrics", "/metrics", "Numbers for Prometheus.", private=False)
blp.before_request(authenticate_scraper)


@blp.route("")
@blp.doc(security=[{"metrics": []}])
@blp.response(200, TEXT, content_type=CONTENT_TYPE_LATEST, description="Prometheus's text format.")
@blp.refuses(401, 503)
def show_metrics() -> Response:
    """Show the queue, the limiter, the images, the credits and the calls to Replicate."""
    measured = measures.registry(current.parts().redis, current.parts().limiter)
    return Response(generate_latest(measured), content_type=CONTENT_TYPE_LATEST)
