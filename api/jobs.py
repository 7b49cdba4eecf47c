"""GET /api/image-optimization/jobs and …/jobs/<id>: what became of the orders."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import request

from api import current, cursors, examples
from api.etags import revalidate
from api.openapi import CACHING, IF_NONE_MATCH, Blueprint
from api.order_schemas import JobDetailSchema
from api.schemas import JobPageSchema, JobsQuery
from api.waiting import Line, facts, line_of
from models import reports
from models.job_rows import ItemRow, JobRow

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
    if not request.if_none_match:
        detail = read(job_id)
        revalidate(*detail.versions)
        return detail.shown
    # Who asks for news mostly has it already: its images are read only if they are told.
    seen = look(job_id)
    revalidate(*seen.versions)
    return read(job_id, seen.line).shown


@dataclass(frozen=True, slots=True)
class Look:
    """One of the instance's jobs and its places in the line."""

    job: JobRow
    line: Line

    @property
    def versions(self) -> list[object]:
        """What changes whenever the job, or what is shown of its images, does."""
        return [self.job.id, self.job.version, *facts(self.line.items)]


@dataclass(frozen=True, slots=True)
class Detail(Look):
    """The same with its images."""

    items: Sequence[ItemRow]

    @property
    def shown(self) -> dict[str, Any]:
        """For `JobDetailSchema`. What is not waiting any more has no place, even if it had one when
        the line was looked at."""
        line = self.line.still(self.items)
        return {
            "job": line.with_job(self.job),
            "items": [line.with_item(item) for item in self.items],
        }


def look(job_id: int) -> Look:
    """Look at a job without its images; raises `NotFound`."""
    job = reports.job(current.instance(), job_id)
    return Look(job, line_of([job]))


def read(job_id: int, line: Line | None = None) -> Detail:
    """Read a job with its images, in the line if that was looked at; raises `NotFound`."""
    job, items = reports.job_with_items(current.instance(), job_id)
    return Detail(job, line or line_of([job]), items)
