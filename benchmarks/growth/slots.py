"""What became of each image of a block, by the kind of the block; and what follows for its jobs."""

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import NamedTuple

from models.durations import bucket_of
from models.tables import AttemptStatus, Status

KINDS = ("ended", "reusing", "running", "resting", "waiting")
PRICE = 15
SIZES = (10, 5, 3, 1, 1)
DONE, FAILED, CANCELED = Status.DONE, Status.FAILED, Status.CANCELED
FATES = (*[DONE] * 8, FAILED, CANCELED, *[DONE] * 5, DONE, DONE, FAILED, FAILED, CANCELED)
# From the order to the end, by turns.
SECONDS = (4, 6, 8, 11, 15, 20, 28, 40)


class Slot(NamedTuple):
    """An image's place in a block. `attempt` is the status of the one attempt that it had, if it
    had any; `rests` after a failure; `reused`: its result was there."""

    kind: str
    slot: int
    job: int
    position: int
    status: Status
    credits: int
    attempt: AttemptStatus | None
    outcome: str | None
    seconds: int
    error_code: str | None
    refunded: bool
    final: bool
    rests: bool
    reused: bool


class Shape(NamedTuple):
    """A job of a block, as its images make it."""

    kind: str
    job: int
    status: Status
    total: int
    completed: int
    failed: int
    canceled: int
    credits: int
    started: bool
    seconds: int | None


class Class(NamedTuple):
    """The images of a block that ended after so many seconds."""

    kind: str
    seconds: int
    bucket: int
    done: int
    failed: int
    canceled: int
    reused: int
    credits: int


def slots() -> Iterator[Slot]:
    """Twenty of each kind, in the order of their jobs."""
    for kind in KINDS:
        slot = 0
        for job, size in enumerate(SIZES):
            for position in range(size):
                yield _slot(kind, slot, job, position)
                slot += 1


def _slot(kind: str, slot: int, job: int, position: int) -> Slot:
    status = _status(kind, slot)
    reused = kind == "reusing" and slot == 1
    return Slot(
        kind,
        slot,
        job,
        position,
        status,
        0 if reused else PRICE,
        None if reused else _attempt(kind, status),
        _outcome(kind, status),
        SECONDS[slot % len(SECONDS)] if status in FATES else 0,
        "content_flagged" if status == FAILED else None,
        status == CANCELED,
        status in FATES,
        kind == "resting",
        reused,
    )


def _status(kind: str, slot: int) -> Status:
    going_on = {"running": Status.RUNNING, "resting": Status.PENDING, "waiting": Status.PENDING}
    return going_on.get(kind) or FATES[slot]


def _attempt(kind: str, status: Status) -> AttemptStatus | None:
    """What was canceled had waited."""
    if kind == "waiting" or status == CANCELED:
        return None
    return AttemptStatus.CREATED if kind == "running" else AttemptStatus.ENDED


def _outcome(kind: str, status: Status) -> str | None:
    if kind == "resting":
        return "model_failed"
    return {DONE: "succeeded", FAILED: "content_flagged"}.get(status)


def shapes(every: Iterable[Slot]) -> Iterator[Shape]:
    """Five of each kind."""
    for (kind, job), group in groupby(every, key=lambda slot: (slot.kind, slot.job)):
        images = list(group)
        fates = [each.status for each in images]
        final = all(each.final for each in images)
        started = any(each.attempt for each in images)
        yield Shape(
            kind,
            job,
            _job_status(fates) if final else Status.RUNNING if started else Status.PENDING,
            len(images),
            fates.count(DONE),
            fates.count(FAILED),
            fates.count(CANCELED),
            sum(each.credits for each in images),
            started,
            max(each.seconds for each in images) if final else None,
        )


def _job_status(fates: list[Status]) -> Status:
    if DONE in fates:
        return DONE
    return CANCELED if CANCELED in fates else FAILED


def classes(every: Iterable[Slot]) -> Iterator[Class]:
    """Of each kind of which every image has ended."""
    ended = sorted((each for each in every if each.final), key=_class)
    for (kind, seconds), group in groupby(ended, key=_class):
        images = list(group)
        fates = [each.status for each in images]
        yield Class(
            kind,
            seconds,
            bucket_of(seconds),
            fates.count(DONE),
            fates.count(FAILED),
            fates.count(CANCELED),
            sum(each.reused for each in images),
            sum(each.credits for each in images if not each.refunded),
        )


def _class(slot: Slot) -> tuple[str, int]:
    return slot.kind, slot.seconds
