"""`queuePosition` and `estimatedStartAt` of jobs and items that wait."""

from datetime import datetime
from typing import Any

import pytest
import redis
from flask import Flask
from sqlalchemy import event

from api import current
from models import lifecycle
from models.database import db
from tasks.limiter import Limiter
from tests.api.clients import JOBS, Shop, open_shop, order
from tests.limiter_steps import granted
from tests.shop import DEADLINE


def claim(app: Flask) -> int:
    with app.app_context():
        turn = lifecycle.claim_next(DEADLINE)
    assert turn
    return turn.attempt_id


def positions(shop: Shop, job_id: int) -> tuple[int | None, list[int | None]]:
    """Of a job and of its items."""
    body = shop.get(f"{JOBS}/{job_id}").get_json()
    items = [item.get("queuePosition") for item in body["items"]]
    return body["job"].get("queuePosition"), items


def start(shown: dict[str, Any]) -> float:
    """When it is expected to be sent, in Unix seconds."""
    return datetime.fromisoformat(shown["estimatedStartAt"]).timestamp()


def test_a_job_stands_where_its_first_image_does(any_app: Flask) -> None:
    alice, bob = open_shop(any_app, "alice"), open_shop(any_app, "bob")
    alice.post(order(3))
    bob.post(order(2))

    assert positions(alice, 1) == (1, [1, 2, 3])
    assert positions(bob, 2) == (1, [1, 2])
    assert [job["queuePosition"] for job in alice.jobs()] == [1]


def test_what_was_sent_moves_the_others_up(any_app: Flask) -> None:
    alice, bob = open_shop(any_app, "alice"), open_shop(any_app, "bob")
    alice.post(order(2))
    alice.post(order(1))
    bob.post(order(1))

    claim(any_app)

    assert positions(alice, 1) == (1, [None, 1])
    assert [job["queuePosition"] for job in alice.jobs()] == [2, 1]
    assert positions(bob, 3) == (1, [1])


def test_what_runs_or_rests_has_no_place(any_app: Flask) -> None:
    alice = open_shop(any_app, "alice")
    alice.post(order(2))
    resting = claim(any_app)
    claim(any_app)
    with any_app.app_context():
        lifecycle.requeue(resting, "tested", backoff=600.0)

    assert positions(alice, 1) == (None, [None, None])


def test_images_are_expected_at_their_slots(live: Flask, limiter: Limiter) -> None:
    alice = open_shop(live, "alice")
    alice.post(order(6))
    state = limiter.state()

    body = alice.get(f"{JOBS}/1").get_json()

    # One slot of five was taken just before, so the fifth image is the first of the next window.
    expected = [state.now + 1.2 * n for n in range(1, 5)] + [state.now + 30, state.now + 31.2]
    assert [start(item) for item in body["items"]] == pytest.approx(expected, abs=10)
    assert body["job"]["estimatedStartAt"] == body["items"][0]["estimatedStartAt"]
    assert all(item["estimatedStartAt"].endswith(".000Z") for item in body["items"])


def test_others_make_one_wait_and_do_not_show(live: Flask, limiter: Limiter) -> None:
    alice = open_shop(live, "alice")
    alice.post(order(3))
    alone = alice.get(f"{JOBS}/1").get_json()["items"]
    for name in ("bob", "charlie"):
        open_shop(live, name).post(order(10))

    crowded = alice.get(f"{JOBS}/1").get_json()["items"]

    assert [item["queuePosition"] for item in crowded] == [1, 2, 3]
    # Alice's third image is now the seventh of all, and a window has five slots.
    assert start(crowded[2]) - start(alone[2]) == pytest.approx(30, abs=10)
    assert all(start(item) % 10 == 0 for item in crowded)


def test_estimates_begin_after_a_pause_that_ends(live: Flask, limiter: Limiter) -> None:
    alice = open_shop(live, "alice")
    alice.post(order())
    limiter.pause(300, "throttled")

    (job,) = alice.jobs()

    assert start(job) == pytest.approx(limiter.state().now + 300, abs=40)


def test_nobody_foretells_when_an_operator_acts(live: Flask, limiter: Limiter) -> None:
    alice = open_shop(live, "alice")
    alice.post(order())
    limiter.pause(600, "insufficient_credit")

    (job,) = alice.jobs()

    assert (job["queuePosition"], job.get("estimatedStartAt")) == (1, None)


def test_without_redis_places_are_told_and_times_are_not(any_app: Flask) -> None:
    alice = open_shop(any_app, "alice")
    alice.post(order(1))

    (job,) = alice.jobs()

    assert (job["queuePosition"], job.get("estimatedStartAt")) == (1, None)


def test_the_receipt_tells_no_place(alice: Shop) -> None:
    receipt = alice.post(order()).get_json()

    assert not {"queuePosition", "estimatedStartAt"} & set(receipt["job"])


def test_a_tag_changes_when_the_place_does(any_app: Flask) -> None:
    alice = open_shop(any_app, "alice")
    alice.post(order())
    alice.post(order())
    tag = alice.get(f"{JOBS}/2").headers["ETag"]
    unchanged = alice.get(f"{JOBS}/2", {"If-None-Match": tag})

    claim(any_app)

    assert unchanged.status_code == 304
    assert alice.get(f"{JOBS}/2", {"If-None-Match": tag}).status_code == 200


@pytest.mark.parametrize("path", [JOBS, f"{JOBS}/1"])
def test_what_others_order_changes_no_place(any_app: Flask, path: str) -> None:
    bob, alice = open_shop(any_app, "bob"), open_shop(any_app, "alice")
    alice.post(order(2))
    tag = alice.get(path).headers["ETag"]

    bob.post(order(10))

    assert alice.get(path, {"If-None-Match": tag}).status_code == 304


@pytest.mark.parametrize("path", [JOBS, f"{JOBS}/1"])
def test_a_tag_changes_when_the_expected_time_does(
    live: Flask, limiter: Limiter, path: str
) -> None:
    alice = open_shop(live, "alice")
    alice.post(order())
    with live.app_context():
        fill_the_window(limiter)
    tag = alice.get(path).headers["ETag"]
    unchanged = alice.get(path, {"If-None-Match": tag})

    limiter.pause(300, "throttled")

    assert unchanged.status_code == 304
    assert alice.get(path, {"If-None-Match": tag}).status_code == 200


def fill_the_window(limiter: Limiter) -> None:
    """Take what the window has left at once, so that the next slot stands fast."""
    hasty = Limiter(current.parts().redis, limiter.limit, 0.0, lambda _window: [])
    while limiter.state().slots_used_in_window < limiter.limit.count:
        granted(hasty)


def test_where_nothing_waits_neither_the_line_nor_redis_is_asked(
    live: Flask, redis_url: str
) -> None:
    alice, bob = open_shop(live, "alice"), open_shop(live, "bob")
    alice.post(order())
    with live.app_context():
        lifecycle.fail(claim(live), "bad_image_url", refund=False)
    bob.post(order())
    queries = overhear(live)

    with redis.Redis.from_url(redis_url) as client:
        before = looks_at_the_limiter(client)
        assert alice.get(f"{JOBS}/1").status_code == alice.get(JOBS).status_code == 200
        assert looks_at_the_limiter(client) == before
        assert not [query for query in queries if "not_before IS NULL" in query]

        bob.jobs()
        assert looks_at_the_limiter(client) == before + 1


def overhear(app: Flask) -> list[str]:
    queries: list[str] = []
    with app.app_context():
        event.listen(
            db.engine, "before_cursor_execute", lambda _c, _cu, sql, *_: queries.append(sql)
        )
    return queries


def looks_at_the_limiter(client: redis.Redis) -> int:
    """How often its script ran: nobody else asks for one field of a hash."""
    return int(client.info("commandstats").get("cmdstat_hget", {}).get("calls", 0))
