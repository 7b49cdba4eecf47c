"""GET /api/queue."""

from datetime import datetime

import pytest
from flask import Flask

from models import controls, lifecycle
from tasks.limiter import Limiter
from tests.api.clients import JOBS, Shop, open_shop, order
from tests.shop import DEADLINE

QUEUE = "/api/queue"
EMPTY = {"waitingImages": 0, "runningImages": 0}


def claim(app: Flask) -> int:
    with app.app_context():
        turn = lifecycle.claim_next(DEADLINE)
    assert turn
    return turn.attempt_id


def queue(shop: Shop) -> dict[str, object]:
    answer: dict[str, object] = shop.get(QUEUE).get_json()
    return answer


def test_what_waits_rests_and_runs_is_counted_and_expected(live: Flask, limiter: Limiter) -> None:
    alice = open_shop(live, "alice")
    nothing = queue(alice)
    alice.post(order(4))
    alice.post(order(3))
    resting = claim(live)
    claim(live)
    with live.app_context():
        lifecycle.requeue(resting, "tested", backoff=600.0)

    shown = queue(alice)

    limit = {"images": 5, "seconds": 30.0}
    assert nothing == {"paused": False, "limit": limit} | EMPTY
    first, last = (alice.get(f"{JOBS}/{n}").get_json()["items"] for n in (1, 2))
    assert shown == {
        "paused": False,
        "limit": limit,
        "waitingImages": 6,
        "runningImages": 1,
        "queuePosition": 1,
        "estimatedStartAt": first[2]["estimatedStartAt"],
        "estimatedEndAt": last[-1]["estimatedStartAt"],
    }


def test_another_instance_is_nowhere_to_be_seen(live: Flask, limiter: Limiter) -> None:
    alice, bob = open_shop(live, "alice"), open_shop(live, "bob")
    before = queue(alice)
    alice.post(order(1))
    tag = alice.get(QUEUE).headers["ETag"]

    bob.post(order(10))
    claim(live)

    bobs = queue(bob)
    assert before == queue(open_shop(live, "charlie"))
    assert (bobs["waitingImages"], bobs["runningImages"], bobs["queuePosition"]) == (10, 0, 1)
    assert alice.get(QUEUE, {"If-None-Match": tag}).status_code == 200
    assert queue(alice) == before | {"runningImages": 1}


@pytest.mark.parametrize("reason", ["throttled", "unreachable"])
def test_a_pause_that_passes_says_when(live: Flask, limiter: Limiter, reason: str) -> None:
    alice = open_shop(live, "alice")
    alice.post(order(1))
    tag = alice.get(QUEUE).headers["ETag"]
    unchanged = alice.get(QUEUE, {"If-None-Match": tag})

    limiter.pause(300, reason)

    assert unchanged.status_code == 304
    answer = alice.get(QUEUE, {"If-None-Match": tag}).get_json()
    assert (answer["paused"], answer["pauseReason"]) == (True, reason)
    resumes = datetime.fromisoformat(answer["resumesAt"]).timestamp()
    assert resumes == pytest.approx(limiter.state().now + 300, abs=60)
    assert answer["estimatedStartAt"] == answer["estimatedEndAt"] == answer["resumesAt"]


def test_an_operators_words_are_not_for_shops(live: Flask, limiter: Limiter) -> None:
    alice = open_shop(live, "alice")
    alice.post(order(1))

    limiter.pause(300, "the card of account 4711 has expired")
    mended = queue(alice)
    limiter.resume()
    with live.app_context():
        controls.pause("moving house", "olga")
    wanted = queue(alice)

    assert mended == wanted
    assert wanted == {
        "paused": True,
        "pauseReason": "operator",
        "limit": {"images": 5, "seconds": 30.0},
        "waitingImages": 1,
        "runningImages": 0,
        "queuePosition": 1,
    }


def test_while_redis_is_away_nothing_is_sent(app: Flask) -> None:
    alice = open_shop(app, "alice")
    alice.post(order(2))

    assert queue(alice) == {
        "paused": True,
        "pauseReason": "unavailable",
        "limit": {"images": 5, "seconds": 30.0},
        "waitingImages": 2,
        "runningImages": 0,
        "queuePosition": 1,
    }
