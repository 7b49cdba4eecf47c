"""GET /api/image-optimization/jobs/<id>/events: a job as it goes on, as server-sent events."""

from flask import Response, request

from api import current
from api.live_stream import Stream
from api.openapi import TEXT, Blueprint
from models import reports

blp = Blueprint("live", "/api/image-optimization/jobs", "Follow a job live.", private=True)

MIMETYPE = "text/event-stream"
LAST_EVENT_ID = {
    "name": "Last-Event-ID",
    "in": "header",
    "description": "The `id` of the last event that the client has: where it is still true, the job"
    " is not sent again.",
    "schema": TEXT,
}
# A proxy (nginx) that gathers what it hands on would hold the events back.
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
EVENT = {
    "type": "object",
    "description": "One event.",
    "properties": {
        "id": TEXT,
        "event": {"type": "string", "enum": ["job", "end"]},
        "data": TEXT | {"contentMediaType": "application/json"},
    },
}
EXAMPLE = (
    "retry: 3000\n\n"
    "id: 7-3f0a9c1d5e7b2468\n"
    "event: job\n"
    'data: {"job": {"id": 12, "status": "DONE", "…": "…"}, "items": ["…"]}\n\n'
    "event: end\n"
    "data: {}\n\n"
)


@blp.route("/<id:job_id>/events", parameters=[LAST_EVENT_ID])
@blp.response(
    200,
    EVENT,
    content_type=MIMETYPE,
    description="Events: `job` holds what GET of the job answers, `end` says that the job is final."
    " Comments are signs of life.",
    example=EXAMPLE,
    headers={
        "Cache-Control": {"description": "no-store", "schema": TEXT},
        "X-Accel-Buffering": {"description": "no", "schema": TEXT},
    },
)
@blp.refuses(404)
def follow_job(job_id: int) -> Response:
    """Follow a job live.

    The job is sent at once, and again whenever something about it changes, until it is final. After
    five minutes, or when the service restarts, the stream ends without `end`: connect again with
    `Last-Event-ID`. An instance may follow a few jobs at a time; beyond that, and where too many
    others do so, the answer is 503 `streams_busy`: ask for the job itself every few seconds.
    """
    instance_id = current.instance()
    reports.job(instance_id, job_id)
    parts, known = current.parts(), request.headers.get("Last-Event-ID", "")
    stream = Stream(parts.watch, parts.rooms.streams, instance_id, job_id, known)
    # The response closes it, whether or not anything was read.
    return Response(stream, headers=HEADERS, content_type=MIMETYPE)
