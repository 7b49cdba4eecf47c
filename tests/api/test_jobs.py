"""GET /api/image-optimization/jobs."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from config.settings import Settings
from models import lifecycle
from tests.api.clients import JOBS, Shop, open_shop, order
from tests.api.conftest import serving
from tests.shop import DEADLINE


def submit(shop: Shop, jobs: int) -> None:
    for _ in range(jobs):
        assert shop.post(order()).status_code == 201


def ids(answer: TestResponse) -> list[int]:
    assert answer.status_code == 200, answer.text
    return [job["id"] for job in answer.get_json()["jobs"]]


def pages(shop: Shop, query: str) -> Iterator[list[int]]:
    cursor: str | None = ""
    while cursor is not None:
        answer = shop.get(f"{JOBS}?{query}" + (f"&cursor={cursor}" if cursor else ""))
        yield ids(answer)
        cursor = answer.get_json()["nextCursor"]


def test_a_shop_without_jobs_has_an_empty_page(alice: Shop) -> None:
    answer = alice.get(JOBS)

    assert answer.get_json() == {"jobs": [], "nextCursor": None}


def test_a_job_is_listed_with_what_became_of_it(app: Flask, alice: Shop) -> None:
    submit(alice, 1)
    with app.app_context():
        lifecycle.claim_next(DEADLINE)

    (job,) = alice.jobs()

    assert job.pop("startedAt").endswith("Z")
    assert job.pop("createdAt").endswith("Z")
    assert job == {
        "id": 1,
        "productId": "cup",
        "productName": "The cup",
        "status": "RUNNING",
        "totalImages": 1,
        "completedImages": 0,
        "failedImages": 0,
        "canceledImages": 0,
    }


def test_pages_follow_each_other_newest_first(any_app: Flask) -> None:
    alice, bob = open_shop(any_app, "alice"), open_shop(any_app, "bob")
    for _ in range(7):
        submit(alice, 1)
        submit(bob, 1)

    found = list(pages(alice, "limit=3"))

    assert [len(page) for page in found] == [3, 3, 1]
    assert list(chain(*found)) == [13, 11, 9, 7, 5, 3, 1]


def test_a_full_last_page_has_no_next_one(alice: Shop) -> None:
    submit(alice, 4)

    assert list(pages(alice, "limit=2")) == [[4, 3], [2, 1]]


def test_new_jobs_do_not_move_the_pages(alice: Shop) -> None:
    submit(alice, 4)
    first = alice.get(f"{JOBS}?limit=2").get_json()
    submit(alice, 3)

    second = alice.get(f"{JOBS}?limit=2&cursor={first['nextCursor']}")

    assert ids(second) == [2, 1]


def test_twenty_jobs_make_a_page_by_default(alice: Shop) -> None:
    submit(alice, 21)

    assert len(ids(alice.get(JOBS))) == 20


def test_jobs_are_filtered_by_status(app: Flask, alice: Shop) -> None:
    submit(alice, 3)
    with app.app_context():
        lifecycle.claim_next(DEADLINE)

    assert ids(alice.get(f"{JOBS}?status=RUNNING")) == [1]
    assert ids(alice.get(f"{JOBS}?status=PENDING")) == [3, 2]
    assert ids(alice.get(f"{JOBS}?status=PENDING,RUNNING,PENDING")) == [3, 2, 1]
    assert ids(alice.get(f"{JOBS}?status=DONE,FAILED,CANCELED")) == []
    assert list(pages(alice, "status=PENDING&limit=1")) == [[3], [2]]


def test_bob_sees_nothing_of_alices_jobs(alice: Shop, bob: Shop) -> None:
    submit(alice, 3)
    cursor = alice.get(f"{JOBS}?limit=1").get_json()["nextCursor"]

    answer = bob.get(f"{JOBS}?cursor={cursor}")

    assert bob.jobs() == []
    assert (answer.status_code, list(answer.get_json()["errors"])) == (400, ["cursor"])


@pytest.mark.parametrize(
    ("query", "path"),
    [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=-1", "limit"),
        ("limit=%2B5", "limit"),
        ("limit=5.0", "limit"),
        ("limit=05", "limit"),
        ("limit=1_0", "limit"),
        ("limit=%205", "limit"),
        ("limit=%D9%A3", "limit"),
        ("limit=", "limit"),
        ("limit=" + "9" * 5000, "limit"),
        ("limit=1&limit=2", "limit"),
        ("status=", "status"),
        ("status=pending", "status"),
        ("status=PENDING,", "status"),
        ("status=,PENDING", "status"),
        ("status=PENDING,,DONE", "status"),
        ("status=PENDING%20", "status"),
        ("status=PENDING%00", "status"),
        ("status=%ff", "status"),
        ("status=PENDING&status=DONE", "status"),
        ("cursor=", "cursor"),
        ("cursor=1", "cursor"),
        ("cursor=MQ.AAAA", "cursor"),
        ("cursor=%00", "cursor"),
        ("cursor=" + "x" * 201, "cursor"),
        ("page=1", "page"),
        ("", ""),
    ],
    ids=lambda value: value[:30],
)
def test_a_wrong_query_is_refused(alice: Shop, query: str, path: str) -> None:
    answer = alice.get(f"{JOBS}?{query}")

    expected: tuple[int, list[str]] = (400, [path]) if path else (200, [])
    assert (answer.status_code, list(answer.get_json().get("errors", []))) == expected


def test_a_cursor_that_was_changed_is_refused(alice: Shop) -> None:
    submit(alice, 2)
    cursor = alice.get(f"{JOBS}?limit=1").get_json()["nextCursor"]

    answer = alice.get(f"{JOBS}?cursor=x{cursor}")

    assert answer.status_code == 400


def test_a_cursor_of_another_secret_is_refused(settings: Settings) -> None:
    with serving(settings) as app:
        alice = open_shop(app, "alice")
        submit(alice, 2)
        cursor = alice.get(f"{JOBS}?limit=1").get_json()["nextCursor"]

    with serving(replace(settings, secret_key="another-secret-of-the-tests")) as app:
        answer = replace(alice, app=app).get(f"{JOBS}?cursor={cursor}")

    assert answer.status_code == 400


def test_an_unchanged_page_is_not_sent_again(app: Flask, alice: Shop) -> None:
    submit(alice, 2)
    tag = alice.get(JOBS).headers["ETag"]

    def status(query: str = "") -> int:
        return alice.get(JOBS + query, {"If-None-Match": tag}).status_code

    assert status() == 304
    assert status("?status=PENDING") == 200
    with app.app_context():
        lifecycle.claim_next(DEADLINE)
    assert status() == 200
