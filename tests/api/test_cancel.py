"""POST /api/image-optimization/jobs/<id>/cancel and …/items/<id>/cancel."""

import time
from dataclasses import replace
from typing import Any

import redis
from flask import Flask

from config.settings import Settings
from models import lifecycle
from models.orders import Turn
from tests.api.clients import JOBS, Shop, open_shop, order
from tests.api.conftest import serving
from tests.shop import DEADLINE


def claim(app: Flask, *, noted: bool = True) -> Turn:
    """The next image is claimed, and Replicate works on it."""
    with app.app_context():
        turn = lifecycle.claim_next(DEADLINE)
        assert turn
        if noted:
            assert lifecycle.note(turn.attempt_id, f"p{turn.attempt_id}", check_in=1.0)
    return turn


def finish(app: Flask, turn: Turn) -> None:
    with app.app_context():
        assert lifecycle.finish(turn.attempt_id, f"{turn.item_id:032}.jpg", "image/jpeg")


def shown(answer: Any) -> tuple[int, str]:
    """Its status, and its code where it is a problem."""
    return answer.status_code, answer.get_json().get("code", "")


def test_what_waits_is_canceled_and_given_back_at_once(any_app: Flask) -> None:
    alice = open_shop(any_app, "alice", credits=60)
    alice.post(order(3))

    answer = alice.act(f"{JOBS}/1/cancel")

    assert answer.status_code == 200
    job, items = answer.get_json()["job"], answer.get_json()["items"]
    assert (job["status"], job["canceledImages"]) == ("CANCELED", 3)
    assert job["finishedAt"]
    assert "startedAt" not in job
    assert [(item["status"], item["creditsCharged"]) for item in items] == [("CANCELED", 0)] * 3
    assert not any("cancelRequestedAt" in item for item in items)
    assert alice.balance() == 60
    with any_app.app_context():
        assert lifecycle.claim_next(DEADLINE) is None
    assert shown(alice.act(f"{JOBS}/1/cancel")) == (409, "already_canceled")


def test_of_a_job_under_way_the_finished_stay_and_the_sent_are_asked_about(
    any_app: Flask,
) -> None:
    alice = open_shop(any_app, "alice", credits=45)
    alice.post(order(3))
    finish(any_app, claim(any_app))
    sent = claim(any_app)
    tag = alice.get(f"{JOBS}/1").headers["ETag"]

    answer = alice.act(f"{JOBS}/1/cancel")

    assert answer.status_code == 202
    items = answer.get_json()["items"]
    assert [item["status"] for item in items] == ["DONE", "RUNNING", "CANCELED"]
    assert ["cancelRequestedAt" in item for item in items] == [False, True, False]
    assert alice.balance() == 15
    assert alice.get(f"{JOBS}/1", {"If-None-Match": tag}).status_code == 200
    assert shown(alice.act(f"{JOBS}/1/cancel")) == (409, "cancel_requested")
    with any_app.app_context():
        assert lifecycle.requeue(sent.attempt_id, "canceled", backoff=1.0).canceled
    body = alice.get(f"{JOBS}/1").get_json()
    assert (body["job"]["status"], body["job"]["canceledImages"]) == ("DONE", 2)
    assert body["items"][1]["creditsCharged"] == 15
    assert alice.balance() == 15
    assert shown(alice.act(f"{JOBS}/1/cancel")) == (409, "already_finished")


def test_one_image_is_canceled_alone(app: Flask, alice: Shop) -> None:
    alice.post(order(4))
    done, sent = claim(app), claim(app, noted=False)
    finish(app, done)

    def cancel(item: int) -> tuple[int, str]:
        return shown(alice.act(f"{JOBS}/1/items/{item}/cancel"))

    assert cancel(3) == (200, "")
    assert cancel(sent.item_id) == (202, "")
    assert [cancel(item) for item in (1, 2, 3)] == [
        (409, "already_finished"),
        (409, "cancel_requested"),
        (409, "already_canceled"),
    ]
    statuses = [item["status"] for item in alice.get(f"{JOBS}/1").get_json()["items"]]
    assert statuses == ["DONE", "RUNNING", "CANCELED", "PENDING"]
    # A result that was faster is kept.
    finish(app, sent)
    assert cancel(2) == (409, "already_finished")


def test_nobody_cancels_what_is_not_theirs_or_not_there(alice: Shop, bob: Shop) -> None:
    alice.post(order(1))
    bob.post(order(1))

    answers = [
        bob.act(f"{JOBS}/1/cancel"),
        bob.act(f"{JOBS}/1/items/1/cancel"),
        bob.act(f"{JOBS}/2/items/1/cancel"),
        bob.act(f"{JOBS}/77/cancel"),
        alice.act(f"{JOBS}/1/items/2/cancel"),
    ]

    assert [shown(answer) for answer in answers] == [(404, "not_found")] * 5
    theirs, nobodys = answers[0].get_json()["detail"], answers[3].get_json()["detail"]
    assert theirs.replace("1", "77") == nobodys
    assert [shop.jobs()[0]["status"] for shop in (alice, bob)] == ["PENDING"] * 2


def test_a_query_is_refused(alice: Shop) -> None:
    alice.post(order(1))

    assert shown(alice.act(f"{JOBS}/1/cancel?force=true")) == (400, "invalid_input")
    assert alice.jobs()[0]["status"] == "PENDING"


def test_each_prediction_is_asked_about_at_once(settings: Settings, redis_url: str) -> None:
    with serving(replace(settings, redis_url=redis_url)) as app:
        alice = open_shop(app, "alice")
        alice.post(order(4))
        for noted in (True, True, False):
            claim(app, noted=noted)

        alice.act(f"{JOBS}/1/cancel")

    with redis.Redis.from_url(redis_url) as client:
        assert client.llen("housekeeping") == 2


def test_a_broker_that_is_down_neither_fails_nor_delays_a_cancel(app: Flask, alice: Shop) -> None:
    alice.post(order(10))
    for _ in range(10):
        claim(app)

    began = time.monotonic()
    answer = alice.act(f"{JOBS}/1/cancel")

    assert answer.status_code == 202
    assert time.monotonic() - began < 2
