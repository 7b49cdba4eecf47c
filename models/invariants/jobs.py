"""Each job against its images and against its charge."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.database import snapshot
from models.invariants.pages import Finding, Page, Span, Start, span
from models.tables import FINAL, Attempt, CreditEntry, EntryKind, Item, Job, Status

RECOUNT = "Set the columns to what counting its images gives; then find out who wrote them."
BOOK = "Book the difference with `credits grant` and a reference that names the job."
TWICE = "The batch was charged for it already: grant the job's credits back."
RETRY = "Set retry_of to NULL if its shop ordered these images; else grant their credits back."


@dataclass(frozen=True, slots=True)
class Images:
    """What counting a job's images gives; `started`: one of them was ever given to an attempt."""

    by_status: Counter[Status]
    credits: int
    started: bool

    @property
    def counters(self) -> str:
        """All of them, and those in each final status."""
        done, failed, canceled = (self.by_status[status] for status in FINAL)
        return f"{self.by_status.total()} images, {done} done, {failed} failed, {canceled} canceled"

    @property
    def final(self) -> bool:
        """Nothing is left to do."""
        return not self.by_status[Status.PENDING] and not self.by_status[Status.RUNNING]

    @property
    def status(self) -> Status:
        """What the job's status has to be."""
        if not self.final:
            return Status.RUNNING if self.started else Status.PENDING
        if self.by_status[Status.DONE]:
            return Status.DONE
        return Status.CANCELED if self.by_status[Status.CANCELED] else Status.FAILED


@snapshot
def jobs(session: Session, after: Start) -> Page:
    """Counters, status and times follow from the images; one charge pays exactly for them."""
    page = span(session, Job.id, after)
    if not page.rows:
        return page.page([])
    counted = _count(session, page)
    found_jobs = session.scalars(select(Job).where(page.holds(Job.id)).order_by(Job.id)).all()
    charges = _charges(session, [job.id for job in found_jobs])
    nothing = Images(Counter(), 0, False)
    found: list[Finding] = []
    for job in found_jobs:
        images = counted.get(job.id, nothing)
        found += [*_progress(job, images), *_charge(job, images, charges.get(_reference(job.id)))]
    return page.page([*found, *_retries(session, found_jobs)])


def _count(session: Session, page: Span) -> dict[int, Images]:
    number, price = func.count(), func.sum(Item.credits)
    grouped = select(Item.job_id, Item.status, number, price).where(page.holds(Item.job_id))
    counts: dict[int, Counter[Status]] = {}
    credits: Counter[int] = Counter()
    for job_id, status, images, cost in session.execute(grouped.group_by(Item.job_id, Item.status)):
        counts.setdefault(job_id, Counter())[status] = images
        credits[job_id] += int(cost)
    tried = select(Item.job_id).join(Attempt, Attempt.item_id == Item.id).distinct()
    started = set(session.scalars(tried.where(page.holds(Item.job_id))))
    return {id: Images(counts[id], credits[id], id in started) for id in counts}


def _retries(session: Session, found_jobs: Sequence[Job]) -> Iterator[Finding]:
    """Each has exactly as many images as failed in a job of the same instance that has ended."""
    retried = [job.retry_of for job in found_jobs if job.retry_of]
    ended = select(Job.id, Job.instance_id, Job.failed_images).where(Job.finished_at.is_not(None))
    rows = session.execute(ended.where(Job.id.in_(retried)))
    known = {row.id: (row.instance_id, row.failed_images) for row in rows}
    for job in found_jobs:
        if job.retry_of and known.get(job.retry_of) != (job.instance_id, job.total_images):
            where = f"job {job.id} of instance {job.instance_id}"
            expected = f"the failed images of job {job.retry_of}"
            yield Finding("retry_of", where, expected, f"{job.total_images} images", RETRY)


def _charges(session: Session, job_ids: list[int]) -> dict[str, CreditEntry]:
    references = [_reference(id) for id in job_ids]
    booked = select(CreditEntry).where(CreditEntry.reference.in_(references))
    return {entry.reference: entry for entry in session.scalars(booked)}


def _reference(job_id: int) -> str:
    return f"charge:job:{job_id}"


def _progress(job: Job, images: Images) -> Iterator[Finding]:
    where = f"job {job.id} of instance {job.instance_id}"
    told = (
        f"{job.total_images} images, {job.completed_images} done, {job.failed_images} failed,"
        f" {job.canceled_images} canceled"
    )
    if told != images.counters:
        yield Finding("job_counters", where, images.counters, told, RECOUNT)
    if job.status != images.status:
        yield Finding("job_status", where, images.status, job.status, RECOUNT)
    for name, moment, has in (
        ("started_at", job.started_at, images.started),
        ("finished_at", job.finished_at, images.final),
    ):
        if (moment is not None) != has:
            expected = f"{name} set" if has else f"no {name}"
            yield Finding(f"job_{name}", where, expected, f"{moment}", RECOUNT)


def _charge(job: Job, images: Images, charge: CreditEntry | None) -> Iterator[Finding]:
    where = f"job {job.id} of instance {job.instance_id}"
    if job.batch_id:
        # All jobs of a batch are charged together (`models.invariants.batches`).
        if charge:
            yield Finding("charged_twice", where, f"charged with batch {job.batch_id}",
                          f"{charge.amount} besides", TWICE)  # fmt: skip
        return
    if charge is None or charge.kind != EntryKind.CHARGE:
        yield Finding("job_without_charge", where, f"{images.credits} credits charged", "no charge",
                      BOOK)  # fmt: skip
    elif charge.amount != -images.credits:
        yield Finding("charge_amount", where, f"{-images.credits} credits", f"{charge.amount}",
                      BOOK)  # fmt: skip
