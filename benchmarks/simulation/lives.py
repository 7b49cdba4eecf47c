"""What an image costs the database, and nothing else: no message, no slot, no Replicate."""

from collections.abc import Callable

from models import following, lifecycle
from tests.shop import DEADLINE, submit

CHECK_IN = 30.0


def claims(_shop: int, _number: int) -> int:
    """Claim one image."""
    return 1 if lifecycle.claim_next(DEADLINE) else 0


def lives(shop: int, number: int) -> int:
    """Order a job of ten and see as many images through, whosever they are."""
    submit(shop, 10, product=f"cup-{shop}-{number}")
    return sum(_live() for _ in range(10))


def _live() -> int:
    turn = lifecycle.claim_next(DEADLINE)
    if turn is None:
        return 0
    lifecycle.note(turn.attempt_id, f"prediction-{turn.attempt_id}", CHECK_IN)
    following.take_check(turn.attempt_id, 1, CHECK_IN)
    done = lifecycle.finish(turn.attempt_id, f"result-{turn.attempt_id}.jpg", "image/jpeg")
    return int(done)


WORK: dict[str, Callable[[int, int], int]] = {"claims": claims, "lives": lives}
