"""Send the shops' webhooks that are due, the oldest first, and try again what did not arrive.

Like that of an image, a message does not say which one: it wakes somebody who looks at the rows.
The sweep sends such messages too, so one that is lost delays webhooks by half a minute.
"""

import random
import time
from collections import Counter
from collections.abc import Collection
from functools import partial

import structlog

from models import endpoints, outgoing, sending
from models.sending import Try
from tasks.celery import app
from tasks.courier import Answer
from tasks.gear import Gear, gear
from tasks.measure import count_try
from tasks.webhook_payload import payload

log = structlog.get_logger(__name__)

# Between the tries of one delivery: about a day in all, like other senders of webhooks.
PAUSES = (5.0, 300.0, 1_800.0, 7_200.0, 18_000.0, 28_800.0, 36_000.0)
JITTER = 0.1
# After this a try counts as lost with its process; it takes less than 8 s.
TRY_SECONDS = 30.0
# How long one task goes on sending before its message goes to the end of the queue.
PATIENCE = 5.0
# How long an endpoint that does not answer is left alone: as long as the delivery rests that found
# that out, within these bounds.
SHORTEST_REST, LONGEST_REST = 60.0, 300.0
GONE = 410


@app.task(name="deliver-webhooks", acks_late=True)
def deliver_webhooks() -> str:
    """See `deliver_due`; Flower shows what it returns."""
    return deliver_due(gear())


def deliver_due(gear: Gear, patience: float = PATIENCE) -> str:
    """Send what is due, one after the other, for `patience` seconds; say what became of it."""
    with gear.senders.place() as place:
        return _deliver(gear, patience) if place else "enough are sending"


def _deliver(gear: Gear, patience: float) -> str:
    ended: Counter[str] = Counter()
    began = time.monotonic()
    while not gear.stopping.is_set():
        if time.monotonic() - began > patience:
            gear.waker.deliver()
            ended["passed on"] += 1
            break
        with gear.senders.one(partial(_take, gear)) as taken:
            if taken is None:
                break
            ended[_send(gear, taken)] += 1
    return ", ".join(f"{number} {what}" for what, number in ended.items()) or "nothing is due"


def _take(gear: Gear, busy: Collection[int]) -> Try | None:
    """What another process takes first is no longer due, so this comes to an end."""
    with gear.database():
        while found := sending.next_due(busy):
            if taken := sending.take(*found, TRY_SECONDS):
                return taken
    return None


def _send(gear: Gear, taken: Try) -> str:
    with structlog.contextvars.bound_contextvars(
        instance=taken.instance_id,
        endpoint=taken.endpoint_id,
        delivery=taken.delivery_id,
        job=taken.job and taken.job.id,
    ):
        outcome = _try(gear, taken)
        log.info("webhook tried", told=taken.event, number=taken.number, outcome=outcome)
    count_try(gear.redis, outcome)
    return outcome


def _try(gear: Gear, taken: Try) -> str:
    body = payload(taken, gear.settings)
    if not taken.wanted:
        return _missed(gear, taken, Answer(None, "The endpoint is disabled."), last=True)
    if body is None:
        return _missed(gear, taken, Answer(None, "What it tells of was deleted."), last=True)
    answer = gear.courier.send(taken.url, taken.message_id, taken.at, body, taken.secrets)
    if answer.accepted:
        return _arrived(gear, taken, answer)
    return _after_failure(gear, taken, answer)


def _arrived(gear: Gear, taken: Try, answer: Answer) -> str:
    assert answer.status is not None
    with gear.database():
        sending.arrived(taken.delivery_id, taken.number, answer.status)
    return "delivered"


def _after_failure(gear: Gear, taken: Try, answer: Answer) -> str:
    if answer.status == GONE:
        log.warning("webhook endpoint is gone: disabled")
        with gear.database():
            endpoints.disable(taken.endpoint_id)
        return _missed(gear, taken, answer, last=True)
    outcome = _missed(gear, taken, answer)
    if answer.status is None:
        rest = min(max(_pause(taken.number) or LONGEST_REST, SHORTEST_REST), LONGEST_REST)
        with gear.database():
            sending.spare(taken.endpoint_id, taken.delivery_id, rest)
    return outcome


def _missed(gear: Gear, taken: Try, answer: Answer, *, last: bool = False) -> str:
    """A test is tried once: whoever asked for it is waiting."""
    error = answer.error or f"It answered {answer.status}."
    log.info("webhook missed", reason=error)
    again_in = None if last or taken.event == outgoing.TEST else _pause(taken.number)
    with gear.database():
        sending.missed(taken.delivery_id, taken.number, error, answer.status, again_in)
    if again_in is None:
        return "failed"
    gear.waker.deliver(again_in)
    return "retried"


def _pause(number: int) -> float | None:
    """The pause after the `number`-th try in seconds, varied, so that what failed together does not
    come again together; None after the last."""
    if number > len(PAUSES):
        return None
    return PAUSES[number - 1] * random.uniform(1 - JITTER, 1 + JITTER)
