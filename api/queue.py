"""GET /api/queue: what an instance has in the queue, and whether the queue moves."""

from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any

from api import current
from api.etags import revalidate
from api.openapi import CACHING, IF_NONE_MATCH, Blueprint
from api.queue_schemas import QueueSchema
from api.waiting import Place, line_of
from models import controls
from models.own_queue import OwnQueue, own_queue
from tasks.limiter import LimiterState, LimiterUnavailable
from tasks.schedule import PASSING, Schedule

blp = Blueprint("queue", "/api/queue", "The instance's place in the queue.", private=True)

EXAMPLE = {
    "paused": True,
    "pauseReason": "throttled",
    "resumesAt": "2026-01-31T09:30:20.000Z",
    "limit": {"images": 5, "seconds": 30.0},
    "waitingImages": 12,
    "runningImages": 2,
    "queuePosition": 1,
    "estimatedStartAt": "2026-01-31T09:30:20.000Z",
    "estimatedEndAt": "2026-01-31T09:31:30.000Z",
}


@dataclass(frozen=True, slots=True)
class Flow:
    """Whether images are sent, and how fast; `resumes` is in Unix seconds."""

    pause_reason: str | None
    resumes: int | None
    images: int
    seconds: float


@blp.route("", parameters=[IF_NONE_MATCH])
@blp.response(200, QueueSchema, example=EXAMPLE, headers=CACHING)
@blp.refuses(304)
def show_queue() -> dict[str, Any]:
    """Show what waits and runs, whether the queue is paused and why, and when the end is expected.

    Nothing here tells of other instances but the times, which are told as those of jobs are.
    """
    flow, own = _flow(), own_queue(current.instance())
    first, last = _ends(own)
    expected = [each and each.expected for each in (first, last)]
    revalidate(*asdict(flow).values(), own.waiting, own.running, first is None, *expected)
    return {
        "paused": flow.pause_reason is not None,
        "pause_reason": flow.pause_reason,
        "resumes_at": flow.resumes and datetime.fromtimestamp(flow.resumes, UTC),
        "limit": {"images": flow.images, "seconds": flow.seconds},
        "waiting_images": own.waiting,
        "running_images": own.running,
        "queue_position": first and first.queue_position,
        "estimated_start_at": first and first.estimated_start_at,
        "estimated_end_at": last and last.estimated_start_at,
    }


def _ends(own: OwnQueue) -> tuple[Place | None, Place | None]:
    """The places of the first and of the last of its images that are due."""
    items = line_of(own.jobs).items
    return items.get(own.first_due or 0), items.get(own.last_due or 0)


def _flow() -> Flow:
    flow = _flow_of_limiter()
    return replace(flow, pause_reason="operator", resumes=None) if controls.paused() else flow


def _flow_of_limiter() -> Flow:
    try:
        state = current.parts().limiter.state()
    except LimiterUnavailable:
        # It fails closed.
        limit = current.settings().replicate_rate_limit
        return Flow("unavailable", None, limit.count, limit.window)
    reason, resumes = _pause_of(state)
    return Flow(reason, resumes, state.limit, state.window)


def _pause_of(state: LimiterState) -> tuple[str | None, int | None]:
    """What only an operator can mend is told in one word: its text is not meant for shops."""
    if not state.paused_for:
        return None, None
    if state.pause_reason not in PASSING:
        return "operator", None
    return state.pause_reason, Schedule(state).told(state.now + state.paused_for)
