"""GET /api/image-optimization/jobs and …/jobs/<id>: what became of the orders."""

from typing import Any

from api import current, cursors, examples
from api.etags import revalidate
from api.openapi import CACHING, IF_NONE_MATCH, Blueprint
from api.order_schemas import JobDetailSchema
from api.schemas import JobPageSchema, JobsQuery
from api.waiting import Line, Placed, facts, line_of
from models import reports, retries
from models.tables import Job

blp = Blueprint("jobs", "/api/image-optimization/jobs", "Follow jobs.", private=True)


@blp.route("", parameters=[IF_NONE_MATCH])
@blp.arguments(JobsQuery, location="query")
@blp.response(200, JobPageSchema, example=examples.PAGE, headers=CACHING)
@blp.refuses(304)
def list_jobs(query: dict[str, Any]) -> cursors.Page:
    """List jobs, newest first.

    What waits moves up, so the tag changes with every image that is sent before it.
    """
    page = cursors.page_of_jobs(**query)
    revalidate(query, page.versions)
    return page


@blp.route("/<id:job_id>", parameters=[IF_NONE_MATCH])
@blp.response(200, JobDetailSchema, example=examples.DETAIL, headers=CACHING)
@blp.refuses(304, 404)
def show_job(job_id: int) -> dict[str, Any]:
    """Show a job and its images.

    The tag is older than the answer if the job changes in between, never newer.
    """
    _job, line, versions = look(job_id)
    revalidate(*versions)
    return shown(job_id, line)


def look(job_id: int) -> tuple[Job, Line, list[object]]:
    """One of the instance's jobs, its places in the line, and what changes whenever `shown` does;
    raises `NotFound`."""
    job = reports.job(current.instance(), job_id)
    line = line_of([job])
    return job, line, [job.id, job.version, *facts(line.items)]


def detail_of(job_id: int) -> dict[str, Any]:
    """A job and its images as they are shown, for the answer to a change of them."""
    return shown(job_id, line_of([reports.job(current.instance(), job_id)]))


def shown(job_id: int, line: Line) -> dict[str, Any]:
    """A job and its images, for `JobDetailSchema`."""
    job, items = reports.job_with_items(current.instance(), job_id)
    line = line.still(items)
    linked = Linked(line.with_job(job), retries.retried_by(job_id))
    return {"job": linked, "items": [line.with_item(item) for item in items]}


class Linked:
    """A job with the job that retried it beside its columns, for a schema to read."""

    def __init__(self, job: Job | Placed, retried_by: int | None) -> None:
        self._job = job
        self.retried_by = retried_by

    def __getattr__(self, name: str) -> Any:
        return getattr(self._job, name)
