"""What shops see of what operators set."""

from flask import Flask
from prometheus_client.parser import text_string_to_metric_families

from api import current
from config.forms import RateLimit
from models import caps, controls
from models.controls import Pace
from tests.api.clients import JOBS, open_shop, order
from tests.api.conftest import serving
from tests.databases import settings_for
from tests.limiter_steps import granted

SETTINGS = Pace(RateLimit(5, 30.0), 1.0)


def gauge(app: Flask, name: str) -> float:
    text = app.test_client().get("/metrics").text
    samples = [each for family in text_string_to_metric_families(text) for each in family.samples]
    return next(each.value for each in samples if each.name == f"darkroom_{name}")


def test_an_order_for_which_there_is_no_room_changes_nothing(any_app: Flask) -> None:
    alice = open_shop(any_app, "alice")
    alice.post(order(3))
    with any_app.app_context():
        caps.set_caps("alice", running=None, waiting=4)

    answer = alice.post(order(2), {"Idempotency-Key": "k"})
    fits = alice.post(order(1), {"Idempotency-Key": "k"})

    assert answer.status_code == 429
    problem = answer.get_json()
    assert (problem["code"], problem["limit"], problem["waiting"]) == ("queue_full", 4, 3)
    assert problem["detail"] == "At most 4 of this instance's images may wait, and 3 do."
    # One too many, at 5 in 30 s.
    assert answer.headers["Retry-After"] == "6"
    assert fits.status_code == 201
    assert alice.balance() == 15_000 - 4 * 15


def test_during_a_pause_places_are_told_and_no_times(sqlite_database: str, redis_url: str) -> None:
    with serving(settings_for(sqlite_database, redis_url=redis_url)) as app:
        alice = open_shop(app, "alice")
        alice.post(order())
        with app.app_context():
            granted(current.parts().limiter)
        before = [gauge(app, "paused"), gauge(app, "due_items")]
        (expected,) = alice.jobs()
        tag = alice.get(JOBS).headers["ETag"]
        with app.app_context():
            controls.pause("", "olga")

        (job,) = alice.jobs()

        assert (before, gauge(app, "paused"), gauge(app, "due_items")) == ([0, 1], 1, 0)
        assert "estimatedStartAt" in expected
        assert (job["queuePosition"], job.get("estimatedStartAt")) == (1, None)
        assert alice.get(JOBS, {"If-None-Match": tag}).status_code == 200
        assert app.test_client().get("/readyz").get_json()["checks"]["broker"] == "ok"


def test_what_a_cap_keeps_back_has_no_time(sqlite_database: str, redis_url: str) -> None:
    with serving(settings_for(sqlite_database, redis_url=redis_url)) as app:
        alice = open_shop(app, "alice")
        alice.post(order(3))
        with app.app_context():
            granted(current.parts().limiter)
            caps.set_caps("alice", running=2, waiting=None)

        items = alice.get(f"{JOBS}/1").get_json()["items"]

    assert [item["queuePosition"] for item in items] == [1, 2, 3]
    assert ["estimatedStartAt" in item for item in items] == [True, True, False]


def test_the_limit_that_operators_set_is_measured(sqlite_database: str, redis_url: str) -> None:
    with serving(settings_for(sqlite_database, redis_url=redis_url)) as app, app.app_context():
        controls.set_pace(Pace(RateLimit(9, 60.0), 1.0), SETTINGS, "olga")
        unseeded = gauge(app, "limiter_limit")
        granted(current.parts().limiter)

        assert (unseeded, gauge(app, "limiter_limit")) == (9, 9)
        assert gauge(app, "limiter_window_seconds") == 60
