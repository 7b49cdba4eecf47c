"""POST /api/image-optimization/jobs/<id>/retry."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import update
from werkzeug.test import TestResponse

from config.offers import Offer
from config.settings import Settings
from models import lifecycle, reports
from models.database import db
from models.tables import Item
from tests.api.clients import JOBS, Shop, image, open_shop, order
from tests.api.conftest import serving
from tests.shop import DEADLINE

KEY = {"Idempotency-Key": "retry-1"}
PRO = "google/nano-banana-pro"


def work_off(app: Flask, *fates: str) -> None:
    """Let the next images end so, one after the other: `done` or an error code."""
    with app.app_context():
        for fate in fates:
            turn = lifecycle.claim_next(DEADLINE)
            assert turn
            if fate == "done":
                lifecycle.finish(turn.attempt_id, f"{turn.item_id:032}.jpg", "image/jpeg")
            else:
                lifecycle.fail(turn.attempt_id, fate, refund=False)


def problem(answer: TestResponse) -> dict[str, Any]:
    body: dict[str, Any] = answer.get_json()
    return {name: body[name] for name in body if name in {"status", "code", "retriedBy", "cost"}}


def test_the_failed_images_become_a_new_job_and_the_chain_is_shown(any_app: Flask) -> None:
    alice = open_shop(any_app, "alice", credits=100)
    square = image(2, aspectRatio="1:1", outputFormat="png", prompt="on a table")
    alice.post(order(images=[image(0), image(1), square]))
    work_off(any_app, "model_busy", "done", "content_flagged")
    tag = alice.get(f"{JOBS}/1").headers["ETag"]

    answer = alice.act(f"{JOBS}/1/retry")

    assert answer.status_code == 201
    assert answer.headers["Location"] == f"{JOBS}/2"
    body = answer.get_json()
    assert (body["creditsUsed"], body["creditsRemaining"], body["success"]) == (30, 25, True)
    assert (body["job"]["retryOf"], body["job"]["totalImages"]) == (1, 2)
    new = alice.get(f"{JOBS}/2").get_json()
    assert (new["job"]["productId"], new["job"]["retryOf"]) == ("cup", 1)
    assert [item["imageId"] for item in new["items"]] == ["cup-0", "cup-2"]
    assert [item["status"] for item in new["items"]] == ["PENDING"] * 2
    assert new["items"][1]["prompt"] == "on a table"
    old = alice.get(f"{JOBS}/1", {"If-None-Match": tag})
    assert (old.status_code, old.get_json()["job"]["retriedBy"]) == (200, 2)
    assert [job.get("retryOf") for job in alice.jobs()] == [1, None]
    again = alice.act(f"{JOBS}/1/retry")
    assert problem(again) == {"status": 409, "code": "already_retried", "retriedBy": 2}


def test_a_retry_that_fails_is_retried_as_a_link_of_the_chain(app: Flask, alice: Shop) -> None:
    alice.post(order(1))
    for job in (1, 2):
        work_off(app, "model_busy")
        assert alice.act(f"{JOBS}/{job}/retry").status_code == 201

    middle = alice.get(f"{JOBS}/2").get_json()["job"]
    assert (middle["retryOf"], middle["retriedBy"]) == (1, 3)


def test_only_a_finished_job_of_ones_own_with_failed_images_is_retried(
    app: Flask, alice: Shop, bob: Shop
) -> None:
    alice.post(order(2))
    unfinished = alice.act(f"{JOBS}/1/retry")
    work_off(app, "model_busy")
    half = alice.act(f"{JOBS}/1/retry")
    work_off(app, "done")
    alice.post(order(1))
    work_off(app, "done")

    assert problem(unfinished) == problem(half) == {"status": 409, "code": "job_unfinished"}
    nothing = alice.act(f"{JOBS}/2/retry")
    assert problem(nothing) == {"status": 409, "code": "nothing_to_retry"}
    answers = [bob.act(f"{JOBS}/1/retry"), alice.act(f"{JOBS}/77/retry")]
    assert [problem(each) for each in answers] == [{"status": 404, "code": "not_found"}] * 2
    assert len(alice.jobs()) == 2


def test_too_few_credits_change_nothing(app: Flask) -> None:
    alice = open_shop(app, "alice", credits=15)
    alice.post(order(1))
    work_off(app, "model_busy")

    answer = alice.act(f"{JOBS}/1/retry", KEY)

    assert problem(answer) == {"status": 402, "code": "insufficient_credits", "cost": 15}
    assert "retriedBy" not in alice.get(f"{JOBS}/1").get_json()["job"]


def test_a_key_gives_the_first_answer_again_and_goes_with_one_wish(app: Flask, alice: Shop) -> None:
    alice.post(order(1), {"Idempotency-Key": "order-1"})
    work_off(app, "model_busy")

    first = alice.act(f"{JOBS}/1/retry", KEY)
    again = alice.act(f"{JOBS}/1/retry", KEY)

    assert again.status_code == 201
    assert again.get_json() == first.get_json()
    assert (again.headers["Location"], again.headers["Idempotent-Replayed"]) == (
        f"{JOBS}/2",
        "true",
    )
    assert alice.balance() == 15_000 - 30
    other = alice.act(f"{JOBS}/1/retry", {"Idempotency-Key": "retry-2"})
    assert problem(other)["code"] == "already_retried"
    for key, job in (("order-1", 1), ("retry-1", 2)):
        reused = alice.act(f"{JOBS}/{job}/retry", {"Idempotency-Key": key})
        assert problem(reused) == {"status": 422, "code": "idempotency_key_reused"}
    order_with_its_key = alice.post(order(1), KEY)
    assert order_with_its_key.status_code == 422


def test_every_option_is_ordered_again_at_todays_price(settings: Settings) -> None:
    offers = (Offer(PRO, "2K", 60), Offer(PRO, "4K", 90))
    options = {
        "model": PRO,
        "resolution": "4K",
        "quality": 80,
        "reference_urls": ["https://shop.example/style.jpg"],
    }
    with serving(replace(settings, replicate_models=offers)) as app:
        alice = open_shop(app, "alice", credits=105)
        alice.post(order(1))
        work_off(app, "model_busy")
        with app.app_context():
            db.session.execute(update(Item).values(**options))
            db.session.commit()

        body = alice.act(f"{JOBS}/1/retry").get_json()

        assert (body["creditsUsed"], body["creditsRemaining"]) == (90, 0)
        with app.app_context():
            (item,) = reports.items(2)
        assert {name: getattr(item, name) for name in options} == options


def test_a_model_that_is_not_offered_any_more_is_not_ordered(app: Flask, alice: Shop) -> None:
    alice.post(order(1))
    work_off(app, "model_busy")
    with app.app_context():
        db.session.execute(update(Item).values(model=PRO, resolution="4K"))
        db.session.commit()

    answer = alice.act(f"{JOBS}/1/retry")

    assert problem(answer) == {"status": 409, "code": "model_not_offered"}
    assert answer.get_json()["detail"].startswith(f"{PRO} at 4K is not offered any more")
    assert alice.balance() == 15_000 - 15


@pytest.mark.parametrize("headers", [{}, KEY], ids=["without a key", "with one key"])
def test_ten_retries_at_once_make_one_job(any_app: Flask, headers: dict[str, str]) -> None:
    alice = open_shop(any_app, "alice", credits=100)
    alice.post(order(1))
    work_off(any_app, "model_busy")

    with ThreadPoolExecutor(10) as threads:
        codes = list(
            threads.map(lambda _: alice.act(f"{JOBS}/1/retry", headers).status_code, range(10))
        )

    assert (codes.count(201), codes.count(409)) == ((10, 0) if headers else (1, 9))
    assert alice.balance() == 70
    assert len(alice.jobs()) == 2
