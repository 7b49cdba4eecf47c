"""GET /api/image-optimization/jobs/<id>."""

from dataclasses import replace

import pytest
from flask import Flask

from config.settings import Settings
from models import lifecycle
from tests.api.clients import JOBS, Shop, open_shop, order
from tests.api.conftest import serving
from tests.shop import DEADLINE

KEY = "0f1e2d3c4b5a69788796a5b4c3d2e1f0.jpg"


def claim() -> int:
    turn = lifecycle.claim_next(DEADLINE)
    assert turn is not None
    return turn.attempt_id


def finish_one_and_fail_one(app: Flask) -> None:
    with app.app_context():
        lifecycle.finish(claim(), KEY, "image/jpeg")
        lifecycle.fail(claim(), "bad_image_url", refund=False)


def test_a_new_job_shows_its_images_in_the_submitted_order(any_app: Flask) -> None:
    alice = open_shop(any_app, "alice")
    receipt = alice.post(order(3)).get_json()

    body = alice.get(f"{JOBS}/1").get_json()

    assert body["job"] == receipt["job"] | {"canceledImages": 0, "queuePosition": 1}
    assert [item["imageId"] for item in body["items"]] == ["cup-0", "cup-1", "cup-2"]
    assert set(body["items"][0]) == {
        "id",
        "imageId",
        "imageUrl",
        "previewUrl",
        "prompt",
        "aspectRatio",
        "outputFormat",
        "model",
        "referenceImageUrls",
        "status",
        "creditsCharged",
        "createdAt",
        "updatedAt",
        "queuePosition",
    }


def test_results_and_errors_are_shown_where_there_are_some(app: Flask, alice: Shop) -> None:
    alice.post(order(2))
    finish_one_and_fail_one(app)

    body = alice.get(f"{JOBS}/1").get_json()

    job, (done, failed) = body["job"], body["items"]
    assert (job["status"], job["completedImages"], job["failedImages"]) == ("DONE", 1, 1)
    assert job["createdAt"] <= job["startedAt"] <= job["finishedAt"]
    assert (done["status"], done["optimizedImageUrl"]) == ("DONE", f"/results/{KEY}")
    assert not {"error", "errorCode"} & set(done)
    assert (failed["status"], failed["errorCode"]) == ("FAILED", "bad_image_url")
    assert failed["error"].startswith("The image could not be read from its address.")
    assert (failed["creditsCharged"], failed["retryable"]) == (15, False)
    assert "optimizedImageUrl" not in failed


def test_result_addresses_are_absolute_by_setting(settings: Settings) -> None:
    with serving(replace(settings, public_base_url="https://api.example")) as app:
        alice = open_shop(app, "alice")
        alice.post(order(2))
        finish_one_and_fail_one(app)

        items = alice.get(f"{JOBS}/1").get_json()["items"]

    assert items[0]["optimizedImageUrl"] == f"https://api.example/results/{KEY}"


def test_alices_job_does_not_exist_for_bob(alice: Shop, bob: Shop) -> None:
    alice.post(order())
    tag = alice.get(f"{JOBS}/1").headers["ETag"]

    answers = [bob.get(f"{JOBS}/1"), bob.get(f"{JOBS}/1", {"If-None-Match": tag})]

    assert [answer.status_code for answer in answers] == [404, 404]
    theirs, nobodys = answers[0].get_json(), bob.get(f"{JOBS}/2").get_json()
    assert theirs["detail"].replace("1", "2") == nobodys["detail"]


@pytest.mark.parametrize(
    "job_id",
    [
        "0", "01", "+1", "-1", "1.0", "1e0", "%201", "1%20", "%D9%A1", "x", "1/", "1/items", "",
        "9223372036854775807", "9223372036854775808", "9" * 19, "9" * 5000,
    ],
    ids=lambda value: value[:20],
)  # fmt: skip
def test_an_id_that_is_nobodys_is_not_found(alice: Shop, job_id: str) -> None:
    alice.post(order())

    answer = alice.get(f"{JOBS}/{job_id}")

    assert (answer.status_code, answer.get_json()["code"]) == (404, "not_found")


def test_a_query_is_refused(alice: Shop) -> None:
    alice.post(order())

    answer = alice.get(f"{JOBS}/1?expand=all")

    assert (answer.status_code, list(answer.get_json()["errors"])) == (400, ["expand"])


def test_an_unchanged_job_is_not_sent_again(app: Flask, alice: Shop) -> None:
    alice.post(order(2))
    tag = alice.get(f"{JOBS}/1").headers["ETag"]

    unchanged = alice.get(f"{JOBS}/1", {"If-None-Match": tag})
    with app.app_context():
        claim()
    changed = alice.get(f"{JOBS}/1", {"If-None-Match": tag})

    assert (unchanged.status_code, unchanged.data) == (304, b"")
    assert (changed.status_code, changed.get_json()["job"]["status"]) == (200, "RUNNING")


def test_a_tag_is_met_however_it_is_written(alice: Shop) -> None:
    alice.post(order())
    tag = alice.get(f"{JOBS}/1").headers["ETag"]

    def status(if_none_match: str) -> int:
        return alice.get(f"{JOBS}/1", {"If-None-Match": if_none_match}).status_code

    assert tag.startswith('W/"')
    assert [status(tag), status(tag[2:]), status(f'"x", {tag}'), status("*")] == [304] * 4
    assert [status('"x"'), status(""), status("x")] == [200] * 3


def test_every_answer_says_who_may_keep_it(alice: Shop) -> None:
    alice.post(order())
    full = alice.get(f"{JOBS}/1")

    for answer in (full, alice.get(f"{JOBS}/1", {"If-None-Match": full.headers["ETag"]})):
        assert answer.headers["Cache-Control"] == "private, no-cache"
        assert answer.headers["Vary"] == "Authorization"
        assert answer.headers["ETag"] == full.headers["ETag"]


def test_head_tells_what_get_would(alice: Shop) -> None:
    alice.post(order())

    head = alice.client().head(f"{JOBS}/1", headers=alice.bearer)

    full = alice.get(f"{JOBS}/1")
    assert (head.status_code, head.data) == (200, b"")
    assert head.headers["ETag"] == full.headers["ETag"]
    assert head.content_length == full.content_length
