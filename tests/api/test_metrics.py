"""GET /metrics."""

import math
from collections.abc import Iterator
from dataclasses import replace

import pytest
import redis
from flask import Flask
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import update

from config.settings import Settings
from models import following, lifecycle
from models.clock import from_now
from models.database import db
from models.tables import Attempt
from tasks.measure import CallCounter
from tasks.provider_errors import OUTCOMES
from tests.api.clients import open_shop, order
from tests.api.conftest import serving
from tests.databases import settings_for
from tests.shop import DEADLINE

Samples = dict[tuple[str, tuple[str, ...]], float]


@pytest.fixture
def busy(database_url: str, redis_url: str) -> Iterator[Flask]:
    """An API with three images, one of them claimed."""
    with serving(settings_for(database_url, redis_url=redis_url)) as app:
        open_shop(app, "alice").post(order(3))
        with app.app_context():
            lifecycle.claim_next(DEADLINE)
        yield app


def by_name(labels: dict[str, str]) -> tuple[str, ...]:
    return tuple(value for _name, value in sorted(labels.items()))


def scrape(app: Flask) -> Samples:
    answer = app.test_client().get("/metrics")
    assert answer.status_code == 200
    assert answer.content_type.startswith("text/plain")
    return {
        (sample.name.removeprefix("darkroom_"), by_name(sample.labels)): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def test_images_credits_and_queues_are_counted(busy: Flask) -> None:
    found = scrape(busy)

    assert found["items", ("PENDING",)] == 2
    assert found["items", ("RUNNING",)] == 1
    assert found["items", ("DONE",)] == 0
    assert found["due_items", ()] == 2
    assert 0 < found["oldest_waiting_seconds", ()] < 60
    assert 0 < found["oldest_under_way_seconds", ()] < 60
    assert found["creates_in_doubt", ()] == 0
    assert found["sweep_age_seconds", ()] == math.inf
    assert found["credits_charged_total", ()] == 45
    assert found["redis_up", ()] == 1
    assert found["queue_depth", ("replicate", "ready")] == 3
    assert found["queue_depth", ("replicate", "unacked")] == 0
    assert found["queue_depth", ("housekeeping", "ready")] == 0


def test_the_age_of_the_last_sweep_and_creates_in_doubt_are_shown(busy: Flask) -> None:
    with busy.app_context():
        following.beat("sweep", at_most_every=0.0)
        with db.engine.begin() as connection:
            connection.execute(update(Attempt).values(lease_until=from_now(-1)))

    found = scrape(busy)

    assert 0 <= found["sweep_age_seconds", ()] < 60
    assert found["creates_in_doubt", ()] == 1


def test_the_limiter_is_shown(busy: Flask) -> None:
    found = scrape(busy)

    assert found["limiter_limit", ()] == 5
    assert found["limiter_window_seconds", ()] == 30
    assert found["limiter_slots_used", ()] == 0
    assert found["limiter_paused_seconds", ()] == 0


def test_calls_to_replicate_are_counted_by_outcome_and_duration(
    busy: Flask, redis_url: str
) -> None:
    with redis.Redis.from_url(redis_url) as client:
        count = CallCounter(client)
        for seconds in (0.02, 0.3, 60.0):
            count("create_prediction", "ok", seconds)

    found = scrape(busy)

    kind = ("create_prediction", "ok")
    assert found["replicate_calls_total", kind] == 3
    assert found["replicate_call_seconds_count", kind] == 3
    assert found["replicate_call_seconds_sum", kind] == pytest.approx(60.32)
    assert found["replicate_call_seconds_bucket", ("create_prediction", "0.05", "ok")] == 1
    assert found["replicate_call_seconds_bucket", ("create_prediction", "0.5", "ok")] == 2
    assert found["replicate_call_seconds_bucket", ("create_prediction", "+Inf", "ok")] == 3


def test_a_counter_is_there_before_its_first_event(busy: Flask) -> None:
    found = scrape(busy)

    calls = {kind: n for (name, kind), n in found.items() if name == "replicate_calls_total"}
    functions = {function for function, _outcome in calls}
    assert set(calls.values()) == {0}
    assert {outcome for name, outcome in calls if name == "create_prediction"} == set(OUTCOMES)
    assert len(functions) == 7
    assert {(function, "ok") for function in functions} <= set(calls)
    assert found["replicate_call_seconds_count", ("create_prediction", "ambiguous")] == 0


def test_an_event_that_was_not_expected_is_counted_too(busy: Flask, redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        CallCounter(client)("get_prediction", "retryable", 0.1)

    assert scrape(busy)["replicate_calls_total", ("get_prediction", "retryable")] == 1


def test_with_redis_down_the_database_still_tells(app: Flask) -> None:
    open_shop(app, "alice").post(order(3))

    found = scrape(app)

    assert found["redis_up", ()] == 0
    assert found["items", ("PENDING",)] == 3
    assert not any(name.startswith(("queue", "limiter")) for name, _labels in found)


@pytest.mark.parametrize(
    ("authorization", "status"),
    [
        ("Bearer metrics-token", 200),
        ("Bearer metrics-tokens", 401),
        ("Basic metrics-token", 401),
        ("", 401),
    ],
)
def test_the_metrics_token_is_asked_for(
    settings: Settings, authorization: str, status: int
) -> None:
    with serving(replace(settings, metrics_token="metrics-token")) as app:
        answer = app.test_client().get("/metrics", headers={"Authorization": authorization})

    assert answer.status_code == status
    assert ("WWW-Authenticate" in answer.headers) == (status == 401)


def test_a_shops_token_opens_no_metrics(settings: Settings) -> None:
    with serving(replace(settings, metrics_token="metrics-token")) as app:
        alice = open_shop(app, "alice")

        assert alice.get("/metrics").status_code == 401


def test_a_query_is_refused(app: Flask) -> None:
    assert app.test_client().get("/metrics?name=x").status_code == 400
