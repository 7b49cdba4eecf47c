"""`jobs list|show|watch|cancel|retry`: the work of every instance, as an operator sees it."""

import time

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from api import current
from api.cancel import ask
from api.commands.acting import acting
from api.commands.advice import SEE_INSTANCES, SEE_JOBS, Commands, advise
from api.commands.output import show
from api.option_schemas import price_list
from models import accounts, cancellation, reports, retries
from models.tables import FINAL, Job, Status

SEE_JOB = "`flask --app wsgi jobs show` shows how the job is."

ID = click.IntRange(1, 2**63 - 1)

jobs = Commands("jobs", help="List, show, watch, cancel and retry jobs.")


@jobs.command("list")
@click.argument("name", required=False)
@click.option("--status", "statuses", type=click.Choice(list(Status)), multiple=True)
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True)
def list_jobs(name: str | None, statuses: tuple[Status, ...], limit: int) -> None:
    """List the newest jobs, of the instance NAME or of all."""
    with advise(SEE_INSTANCES):
        instance_id = accounts.find(name).id if name else None
    rows = reports.newest_jobs(statuses or tuple(Status), limit, instance_id)
    show(
        ("id", "instance", "product", "status", "images", "done", "failed", "canceled", "created"),
        (
            (
                job.id, owner, job.product_name, job.status, job.total_images,
                job.completed_images, job.failed_images, job.canceled_images, job.created_at,
            )
            for job, owner in rows
        ),
    )  # fmt: skip


@jobs.command("show")
@click.argument("job_id", type=ID)
def show_job(job_id: int) -> None:
    """Show one job and its images."""
    job, owner = _found(job_id)
    show(
        ("id", "instance", "product", "status", "created", "started", "finished"),
        [(job.id, owner, job.product_name, job.status, *_times(job))],
    )
    click.echo()
    show(
        ("item", "image", "status", "failed attempts", "updated", "result or error"),
        (
            (i.id, i.image_id, i.status, i.failed_attempts, i.updated_at, i.result_key or i.error)
            for i in reports.items(job_id)
        ),
    )


@jobs.command("watch")
@click.argument("job_id", type=ID)
@click.option("--every", type=click.FloatRange(0.05, 60), default=1.0, help="Seconds; 1 if unset.")
def watch(job_id: int, every: float) -> None:
    """Follow a job until it is final. The exit code is 1 when it FAILED."""
    job, _owner = _found(job_id)
    with _progress() as progress:
        bar = progress.add_task(_line(job), total=job.total_images)
        while job.status not in FINAL:
            _advance(progress, bar, job)
            time.sleep(every)
            job, _owner = _found(job_id)
        _advance(progress, bar, job)
    click.echo(_line(job))
    if job.status == Status.FAILED:
        raise click.exceptions.Exit(1)


@jobs.command("cancel")
@click.argument("job_id", type=ID)
@click.option("--item", "item_id", type=ID, help="Only this image.")
@acting
def cancel_job(job_id: int, item_id: int | None, actor: str) -> None:
    """Cancel what is left of a job, as its shop could.

    What waits is canceled and refunded at once. For what was sent Replicate is asked, and its
    answer decides.
    """
    job, owner = _found(job_id)
    with advise(SEE_JOB):
        if item_id is None:
            done = cancellation.cancel_job(job.instance_id, job_id, actor)
        else:
            done = cancellation.cancel_item(job.instance_id, job_id, item_id, actor)
    ask(done)
    click.echo(f"job {job_id} of {owner}: {done.canceled} canceled, {done.asked} asked for")


@jobs.command("retry")
@click.argument("job_id", type=ID)
@acting
def retry_job(job_id: int, actor: str) -> None:
    """Order a job's failed images once more, for its shop and at its cost; print the new job."""
    job, owner = _found(job_id)
    with advise(SEE_JOB):
        receipt = retries.retry(job.instance_id, job_id, price_list(), by=actor)
    images = receipt.job.total_images
    current.parts().waker.wake_workers(receipt.job.id, images)
    click.echo(f"{receipt.job.id}")
    click.echo(f"{images} images of {owner}, {receipt.credits_used} credits.", err=True)


def _times(job: Job) -> tuple[object, ...]:
    return job.created_at, job.started_at, job.finished_at


def _found(job_id: int) -> tuple[Job, str]:
    with advise(SEE_JOBS):
        return reports.anyones_job(job_id)


def _progress() -> Progress:
    """A bar on a terminal; elsewhere only the last line is printed."""
    console = Console()
    return Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
        console=console, transient=True, disable=not console.is_terminal,
    )  # fmt: skip


def _advance(progress: Progress, bar: object, job: Job) -> None:
    progress.update(bar, description=_line(job), completed=_final_images(job))  # type: ignore[arg-type]


def _final_images(job: Job) -> int:
    return job.completed_images + job.failed_images + job.canceled_images


def _line(job: Job) -> str:
    line = f"job {job.id} {job.status}: {job.completed_images} of {job.total_images} images done"
    return f"{line}, {job.failed_images} failed" if job.failed_images else line
