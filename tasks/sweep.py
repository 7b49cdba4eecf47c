"""Every 30 s: whatever a lost message, a dead worker or an emptied Redis left undone.

Each step reads a bounded page; what is left comes with the next sweep.
"""

import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

import redis
import structlog
from celery.signals import worker_ready
from sqlalchemy.exc import SQLAlchemyError

from config.settings import Settings
from models import caps, controls, following, idempotency, lifecycle, sending, uploads
from tasks import webhooks
from tasks.celery import app
from tasks.counting import add_up, count_final
from tasks.download import Stopping
from tasks.gear import Gear, gear
from tasks.limiter import LimiterUnavailable
from tasks.provider_errors import ProviderError
from tasks.queues import depths
from tasks.reconcile import reconcile
from tasks.retention import retain
from tasks.stopping import stopping
from tasks.strays import cancel_all_unwanted
from tasks.waiting import LONG_PAUSE
from tasks.wake import Waker, enough

log = structlog.get_logger(__name__)

PAGE = 500
# So many files are deleted in one sweep, and no new one is begun after so many seconds.
UPLOADS, STORAGE_SECONDS = 200, 5.0
# A check counts as lost this many seconds after its time: messages with a countdown come late.
LATE_BY = 10.0
# How often each worker asks for a sweep, in case no scheduler runs, in its intervals.
ASK_EVERY = 1.5
REPLICATE_QUEUE = "replicate"
# How many are woken at most to send webhooks: each goes on with the next, and a process of which
# enough threads do so already lets the others go.
SENDERS = 10


@app.task(name="sweep")
def sweep() -> str:
    """See `sweep_once`; the log has what Flower shows."""
    report = sweep_once(gear())
    log.info("swept", report=report)
    return report


@app.task(name="announce-due-items")
def announce_due_items() -> str:
    """See `announce`."""
    return announce(gear())


def sweep_once(gear: Gear) -> str:
    """Repair what can be repaired now, unless another sweep has just begun.

    What one step cannot reach (Redis, Replicate) keeps no other step from its work. /readyz hears
    of a sweep when it got through; only Replicate's list, which may be long, is read after that.
    """
    with gear.database():
        if not following.beat("sweep-begun", at_most_every=gear.settings.sweep_interval / 2):
            return "swept just now by somebody else"
    reports = [_report(gear, step) for step in STEPS]
    with gear.database():
        following.beat("sweep", at_most_every=0.0)
    return "; ".join([*reports, _report(gear, reconcile)])


def _report(gear: Gear, step: Callable[[Gear], str]) -> str:
    name = step.__name__.strip("_")
    if gear.stopping.is_set():
        return f"{name} left to the next sweep"
    try:
        return step(gear)
    except Stopping:
        return f"{name} broken off"
    except (redis.RedisError, LimiterUnavailable, ProviderError) as error:
        log.warning("step of the sweep failed", step=name, error=str(error))
        return f"{name} failed"
    except SQLAlchemyError:
        # One row that the database refuses must not keep the other steps from theirs.
        log.exception("step of the sweep failed", step=name)
        return f"{name} failed"


def _each(instance_ids: Iterable[int], move: Callable[[int], int]) -> int:
    """Move what each has, one after the other; one that fails keeps none of the others waiting."""
    moved = 0
    for instance_id in instance_ids:
        try:
            moved += move(instance_id)
        except SQLAlchemyError:
            log.exception("instance passed over", instance=instance_id)
    return moved


def _withdraw(gear: Gear) -> str:
    """Nobody waits for ever: expired images fail, and those of disabled instances are canceled."""
    with gear.database():
        overdue = following.waiting_too_long(gear.settings.waiting_expires_after, PAGE)
        expired = _each(overdue, lambda id: lifecycle.expire(id, overdue[id]))
        disabled = following.disabled_with_due_items(PAGE)
        canceled = _each(disabled, lambda id: lifecycle.cancel_waiting(id, PAGE))
    return f"{expired} expired, {canceled} canceled"


def announce(gear: Gear) -> str:
    """Make rested items due and fill the queue up to what is due, unless nothing may be sent."""
    with gear.database():
        _each(following.instances_with_rested_items(PAGE), lifecycle.make_due)
        _each(caps.held_in_vain(PAGE), caps.look_again)
        due = following.due_items()
        pause = controls.paused()
    if pause:
        return f"paused by {pause.by}: {pause.reason}"
    limiter = gear.limiter.state()
    if limiter.paused_for > LONG_PAUSE:
        gear.waker.announce(limiter.paused_for)
        return f"{due} due, paused for {limiter.paused_for:.0f} s"
    wanted = enough(limiter.limit / limiter.window, gear.settings.sweep_interval)
    missing = min(due, wanted) - depths(gear.redis)[REPLICATE_QUEUE].total
    gear.waker.top_up(max(0, missing), "topped up")
    return f"{due} due, {max(0, missing)} messages were missing"


def _follow_overdue(gear: Gear) -> str:
    """Where webhooks are used, no message asks: what is to be asked about is asked about here."""
    with gear.database():
        late_by = 0.0 if webhooks.used(gear.settings) else LATE_BY
        overdue = following.overdue_checks(late_by, PAGE)
    for attempt_id, number in overdue:
        if gear.stopping.is_set():
            break  # With a broker that hangs, each of them takes half a second.
        gear.waker.follow(attempt_id, number)
    return f"{len(overdue)} overdue checks"


def _deliver_webhooks(gear: Gear) -> str:
    with gear.database():
        due = sending.due(SENDERS)
    for _ in range(due):
        gear.waker.deliver()
    return f"{due} webhooks due"


def _forget_keys(gear: Gear) -> str:
    with gear.database():
        return "old keys forgotten" if idempotency.forget_old() else "no old keys"


def _expire_uploads(gear: Gear) -> str:
    """The file first, then its row: a sweep that ends in between leaves nothing that is unknown."""
    with gear.database():
        expired = uploads.expired(UPLOADS)
    deleted = []
    began = time.monotonic()
    for upload_id, key in expired:
        gear.storage.delete(key)
        deleted.append(upload_id)
        if gear.stopping.is_set() or time.monotonic() - began > STORAGE_SECONDS:
            break
    with gear.database():
        uploads.forget(deleted)
    return f"{len(deleted)} uploads expired"


def _forget_deliveries(gear: Gear) -> str:
    with gear.database():
        return "old deliveries forgotten" if sending.forget_old() else "no old deliveries"


def _cancel_unwanted(gear: Gear) -> str:
    return f"{cancel_all_unwanted(gear)} strays"


# Only Replicate's list is read after these.
STEPS: tuple[Callable[[Gear], str], ...] = (
    _withdraw,
    announce,
    _follow_overdue,
    _deliver_webhooks,
    _forget_keys,
    _forget_deliveries,
    _expire_uploads,
    _cancel_unwanted,
    count_final,
    add_up,
    retain,
)


@worker_ready.connect
def ask_for_sweeps(**_facts: Any) -> None:
    """Let every worker ask at its start and then now and again: a dead scheduler is not missed.

    A thread, because Celery forgets the worker's timers whenever it loses the broker.
    """
    threading.Thread(target=_keep_asking, name="ask-for-sweeps", daemon=True).start()


def _keep_asking() -> None:
    settings = Settings.from_environment()
    waker = Waker(settings.redis_url)
    waker.sweep()
    while not stopping.wait(ASK_EVERY * settings.sweep_interval):
        waker.sweep()
