"""POST /api/image-optimization/batch and GET …/batches: many jobs for one charge, or none."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from api import batches as route
from config.settings import Settings
from models import caps, lifecycle
from models.database import db
from models.tables import CreditEntry, EntryKind, IdempotencyKey, Item, Job
from tests.api.clients import JOBS, ROUTE, Shop, image, open_shop, order
from tests.api.conftest import serving
from tests.api.test_retry import work_off
from tests.shop import DEADLINE

BATCH, BATCHES = f"{ROUTE}/batch", f"{ROUTE}/batches"


def send(shop: Shop, *jobs: Any, key: str | None = None) -> TestResponse:
    headers = shop.bearer | ({"Idempotency-Key": key} if key else {})
    return shop.client().post(BATCH, json={"jobs": jobs}, headers=headers)


def product(name: str, images: int = 1) -> dict[str, Any]:
    return order(images, productId=name, productName=f"The {name}")


def rows(app: Flask) -> tuple[int, int, int]:
    """How many jobs, items and charges there are."""
    charges = select(func.count()).where(CreditEntry.kind == EntryKind.CHARGE)
    with app.app_context():
        counts = (select(func.count(Job.id)), select(func.count(Item.id)), charges)
        jobs, items, charged = (db.session.scalar(each) or 0 for each in counts)
        db.session.rollback()
    return jobs, items, charged


def test_a_batch_is_one_charge_and_its_jobs_are_followed_together(any_app: Flask) -> None:
    alice = open_shop(any_app, "alice", credits=100)

    answer = send(alice, product("cup", 2), product("jug"), product("pot"))

    assert (answer.status_code, answer.headers["Location"]) == (201, f"{BATCHES}/1")
    body = answer.get_json()
    assert body["success"] is True
    assert (body["batch"]["totalJobs"], body["batch"]["totalImages"]) == (3, 4)
    assert (body["creditsUsed"], body["creditsRemaining"]) == (60, 40)
    told = [(job["id"], job["productId"], job["batchId"]) for job in body["jobs"]]
    assert told == [(1, "cup", 1), (2, "jug", 1), (3, "pot", 1)]
    assert rows(any_app) == (3, 4, 1)
    shown = alice.get(f"{BATCHES}/1")
    assert shown.get_json()["batch"]["status"] == "PENDING"
    assert [job["queuePosition"] for job in shown.get_json()["jobs"]] == [1, 3, 4]
    work_off(any_app, "done", "done", "content_flagged")
    half = alice.get(f"{BATCHES}/1", {"If-None-Match": shown.headers["ETag"]})
    assert (half.status_code, half.get_json()["batch"]["status"]) == (200, "RUNNING")
    alice.act(f"{JOBS}/3/cancel")
    ended = alice.get(f"{BATCHES}/1").get_json()["batch"]
    assert ended["status"] == "DONE"
    assert "finishedAt" in ended
    counters = [ended[f"{name}Images"] for name in ("completed", "failed", "canceled")]
    assert counters == [2, 1, 1]
    assert alice.balance() == 40 + 15
    same = alice.get(f"{BATCHES}/1")
    again = alice.get(f"{BATCHES}/1", {"If-None-Match": same.headers["ETag"]})
    assert again.status_code == 304
    assert [job["batchId"] for job in alice.jobs()] == [1, 1, 1]
    assert alice.get(f"{JOBS}/1").get_json()["job"]["batchId"] == 1


def test_a_failed_job_of_a_batch_is_retried_alone(app: Flask, alice: Shop) -> None:
    send(alice, product("cup"), product("jug"))
    work_off(app, "model_busy", "done")

    retried = alice.act(f"{JOBS}/1/retry").get_json()["job"]

    assert (retried["retryOf"], retried.get("batchId")) == (1, None)
    assert alice.get(f"{BATCHES}/1").get_json()["batch"]["failedImages"] == 1


def test_too_few_credits_for_the_last_image_change_nothing(any_app: Flask) -> None:
    alice = open_shop(any_app, "alice", credits=59)

    answer = send(alice, product("cup", 3), product("jug"), key="batch-1")

    body = answer.get_json()
    assert (answer.status_code, body["code"]) == (402, "insufficient_credits")
    assert (body["cost"], body["balance"]) == (60, 59)
    assert rows(any_app) == (0, 0, 0)
    assert alice.get(BATCHES).get_json() == {"batches": [], "nextCursor": None}


def test_a_cap_counts_the_whole_batch(app: Flask, alice: Shop) -> None:
    with app.app_context():
        caps.set_caps("alice", None, 4)
    alice.post(order(1))

    refused = send(alice, product("cup", 2), product("jug", 2)).get_json()

    told = [refused[name] for name in ("status", "code", "limit", "waiting")]
    assert told == [429, "queue_full", 4, 1]
    assert rows(app) == (1, 1, 1)
    assert send(alice, product("cup", 2), product("jug")).status_code == 201


def test_one_wrong_image_is_named_and_nothing_is_taken(app: Flask, alice: Shop) -> None:
    wrong = product("pot", 2) | {"images": [image(0, prompt=" "), image(0)], "reuse": 1}

    answer = send(alice, product("cup"), product("jug"), product("jar"), wrong)

    body = answer.get_json()
    assert (answer.status_code, body["code"]) == (400, "invalid_input")
    assert body["errors"] == {
        "jobs.3.images.0.prompt": ["Must not be blank."],
        "jobs.3.reuse": ["Must be true or false."],
    }
    assert rows(app) == (0, 0, 0)


def test_a_body_full_of_uploads_is_refused_for_what_it_is(any_app: Flask) -> None:
    """More than a database takes as values of one statement."""
    alice = open_shop(any_app, "alice")
    uploads = [f"/uploads/{n:032x}.jpg" for n in range(70_000)]

    answer = send(alice, product("cup") | {"images": [image(0, referenceImageUrls=uploads)]})

    assert (answer.status_code, answer.get_json()["code"]) == (400, "invalid_input")


@pytest.mark.parametrize(
    ("jobs", "path"),
    [([], "jobs"), ([product("cup")] * 101, "jobs"), ([7], "jobs.0"), ({}, "jobs"), (None, "jobs")],
    ids=["none", "too many", "a number", "an object", "null"],
)
def test_a_batch_has_1_to_100_jobs(lasting_app: Flask, jobs: Any, path: str) -> None:
    shop = open_shop(lasting_app, f"shop-{path}-{type(jobs).__name__}-{len(jobs or ())}")

    answer = shop.client().post(BATCH, json={"jobs": jobs}, headers=shop.bearer)

    assert answer.status_code == 400
    assert list(answer.get_json()["errors"]) == [path]


def test_ten_equal_batches_at_once_with_one_key_are_one(any_app: Flask) -> None:
    alice = open_shop(any_app, "alice", credits=100)

    def attempt(_: int) -> TestResponse:
        return send(alice, product("cup", 2), product("jug"), key="batch-1")

    with ThreadPoolExecutor(10) as threads:
        answers = list(threads.map(attempt, range(10)))

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    replays = [answer.headers.get("Idempotent-Replayed") for answer in answers]
    assert sorted(map(str, replays)) == ["None", *["true"] * 9]
    assert rows(any_app) == (2, 3, 1)
    other = send(alice, product("cup", 2), key="batch-1")
    alone = alice.post(product("cup", 2), {"Idempotency-Key": "batch-1"})
    assert [each.get_json()["code"] for each in (other, alone)] == ["idempotency_key_reused"] * 2


def test_the_largest_batch_is_taken_and_nobody_waits_behind_it(any_app: Flask) -> None:
    """1,000 images with the longest prompts; then another shop's one."""
    alice, bob = open_shop(any_app, "alice", credits=15_000), open_shop(any_app, "bob")
    prompt = "x" * 2000
    jobs = [
        product(f"p{n}") | {"images": [image(m, prompt=prompt) for m in range(10)]}
        for n in range(100)
    ]

    answer = send(alice, *jobs)
    bob.post(order(1))

    assert answer.status_code == 201
    assert [job["productId"] for job in answer.get_json()["jobs"]] == [f"p{n}" for n in range(100)]
    assert rows(any_app) == (101, 1001, 2)
    assert alice.balance() == 0
    with any_app.app_context():
        turns = [lifecycle.claim_next(DEADLINE) for _ in range(3)]
    assert bob.id in [turn.instance_id for turn in turns if turn]
    shown = alice.get(f"{BATCHES}/1").get_json()
    assert (shown["batch"]["status"], len(shown["jobs"])) == ("RUNNING", 100)


def test_a_larger_body_is_refused_here_and_a_large_one_everywhere_else(
    lasting_app: Flask,
) -> None:
    shop = open_shop(lasting_app, "large")
    body = b'{"jobs":[' + b" " * route.LARGEST_BODY + b"]}"

    refused = [
        shop.client().post(path, data=sent, content_type="application/json", headers=shop.bearer)
        for path, sent in ((BATCH, body), (ROUTE, body[: 300 * 1024]))
    ]

    assert [each.status_code for each in refused] == [413, 413]


def test_batches_are_listed_newest_first_and_are_nobody_elses(
    app: Flask, alice: Shop, bob: Shop
) -> None:
    for _ in range(3):
        send(alice, product("cup"), product("jug"))

    first = alice.get(f"{BATCHES}?limit=2")
    rest = alice.get(f"{BATCHES}?limit=2&cursor={first.get_json()['nextCursor']}").get_json()

    assert [each["id"] for each in first.get_json()["batches"]] == [3, 2]
    assert ([each["id"] for each in rest["batches"]], rest["nextCursor"]) == ([1], None)
    unchanged = alice.get(f"{BATCHES}?limit=2", {"If-None-Match": first.headers["ETag"]})
    assert unchanged.status_code == 304
    assert bob.get(f"{BATCHES}/1").status_code == 404
    assert bob.get(BATCHES).get_json()["batches"] == []
    stolen = bob.get(f"{BATCHES}?cursor={first.get_json()['nextCursor']}")
    assert stolen.status_code == 400
    work_off(app, "done")
    changed = alice.get(f"{BATCHES}?limit=2", {"If-None-Match": first.headers["ETag"]})
    # The oldest batch, which is on the other page, was served.
    assert changed.status_code == 304


def test_what_fails_while_it_is_written_leaves_no_row(settings: Settings) -> None:
    """The last of its statements fails: its charge was booked before."""
    with serving(replace(settings, api_rate_limit=settings.api_rate_limit)) as app:
        alice = open_shop(app, "alice", credits=100)
        with app.app_context():
            db.session.add(
                CreditEntry(
                    instance_id=alice.id,
                    kind=EntryKind.GRANT,
                    amount=0,
                    balance_after=100,
                    reference="charge:batch:1",
                )
            )
            db.session.commit()

        answer = send(alice, product("cup"), key="batch-1")

        assert answer.status_code == 500
        assert rows(app) == (0, 0, 0)
        with app.app_context():
            assert db.session.scalar(select(func.count()).select_from(IdempotencyKey)) == 0
            db.session.execute(
                CreditEntry.__table__.delete().where(  # type: ignore[attr-defined]
                    CreditEntry.reference == "charge:batch:1"
                )
            )
            db.session.commit()
        assert send(alice, product("cup"), key="batch-1").status_code == 201
