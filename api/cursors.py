"""Pages by key: a cursor says below which job the next page begins.

A job that is submitted in the meantime moves nothing, as it would with page numbers. Cursors are
signed for one instance, so that what comes back is what went out.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from itsdangerous import BadData, URLSafeSerializer

from api import current
from api.problems import InvalidInput
from api.waiting import Line, Placed, facts, line_of
from models import reports
from models.job_rows import JobRow
from models.tables import Status


@dataclass(frozen=True, slots=True)
class Page:
    """Some jobs, where those of them stand that wait, and where the jobs after them begin, if
    there are any."""

    rows: Sequence[JobRow]
    line: Line
    next_cursor: str | None

    @property
    def jobs(self) -> list[JobRow | Placed]:
        """The jobs as they are shown."""
        return [self.line.with_job(job) for job in self.rows]

    @property
    def versions(self) -> list[object]:
        """What changes whenever this page does."""
        versions = ((job.id, job.version) for job in self.rows)
        return [self.next_cursor, *versions, *facts(self.line.jobs)]


def page_of_jobs(
    limit: int, status: Sequence[Status] = tuple(Status), cursor: str | None = None
) -> Page:
    """Return a page of this instance's jobs; raises `InvalidInput` for a cursor not its own.

    One job more than asked for is read: it tells whether there is a next page.
    """
    before = int(read("jobs", cursor)) if cursor else None
    found = reports.jobs(current.instance(), status, before, limit + 1)
    jobs, more = found[:limit], found[limit:]
    return Page(jobs, line_of(jobs), write("jobs", jobs[-1].id) if more else None)


def write(kind: str, position: str | int) -> str:
    """Sign where a page of this instance's things of a `kind` begins."""
    return str(_serializer(kind).dumps(position))


def read(kind: str, cursor: str) -> Any:
    """Return what was signed; raises `InvalidInput` for another instance's, or another kind's."""
    try:
        return _serializer(kind).loads(cursor)
    except BadData as error:
        raise InvalidInput({"cursor": ["Not a cursor of yours."]}) from error


def _serializer(kind: str) -> URLSafeSerializer:
    return URLSafeSerializer(
        current.settings().secret_key,
        salt=f"{kind} of instance {current.instance()}",
        signer_kwargs={"digest_method": hashlib.sha256, "key_derivation": "hmac"},
    )
