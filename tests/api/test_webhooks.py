"""POST /api/webhooks/replicate/…: only what Replicate signed just now is taken."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import redis
from flask import Flask
from standardwebhooks.webhooks import Webhook
from werkzeug.test import TestResponse

from config.settings import Settings
from tasks.queues import depths
from tests.api.conftest import serving

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OLD_SECRET = "whsec_b2xkIHNlY3JldCBvZiB0aGUgdGVzdHM="
ADDRESS = "/api/webhooks/replicate/" + "r" * 32
PREDICTION = {"id": "p1", "status": "succeeded", "output": "https://replicate.delivery/x.jpg"}


@pytest.fixture
def hearing(settings: Settings, redis_url: str) -> Iterator[Flask]:
    """The API of a service that is rotating its webhook secret."""
    with serving(
        replace(settings, redis_url=redis_url, replicate_webhook_secret=(OLD_SECRET, SECRET))
    ) as app:
        yield app


def signed(
    body: bytes, secret: str = SECRET, age: timedelta = timedelta(), id: str = "msg_1"
) -> dict[str, str]:
    time = datetime.now(UTC) - age
    return {
        "webhook-id": id,
        "webhook-timestamp": str(int(time.timestamp())),
        "webhook-signature": Webhook(secret).sign(id, time, body.decode()),
        "Content-Type": "application/json",
    }


def send(app: Flask, body: bytes, headers: dict[str, str], path: str = ADDRESS) -> TestResponse:
    return app.test_client().post(path, data=body, headers=headers)


def messages(redis_url: str) -> int:
    with redis.Redis.from_url(redis_url) as client:
        return depths(client)["housekeeping"].ready


@pytest.mark.parametrize("secret", [SECRET, OLD_SECRET])
def test_a_signed_webhook_is_handed_to_a_housekeeper(
    hearing: Flask, redis_url: str, secret: str
) -> None:
    body = json.dumps(PREDICTION).encode()

    answer = send(hearing, body, signed(body, secret))

    assert (answer.status_code, answer.data) == (204, b"")
    assert messages(redis_url) == 1


def test_flower_sees_the_prediction_and_not_the_reference(hearing: Flask, redis_url: str) -> None:
    body = json.dumps(PREDICTION).encode()

    send(hearing, body, signed(body))

    with redis.Redis.from_url(redis_url) as client:
        (message,) = client.lrange("housekeeping", 0, -1)
    shown = json.loads(message)["headers"]["argsrepr"]
    assert "p1" in shown
    assert "rrr" not in shown


def test_the_published_example_of_a_signature_is_what_is_checked() -> None:
    """The test vector of Replicate's documentation."""
    time = datetime.fromtimestamp(1614265330, UTC)

    signature = Webhook(SECRET).sign("msg_p5jXN8AQM9LWM0D4loKWxJek", time, '{"test": 2432232314}')

    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


BODY = json.dumps(PREDICTION).encode()
FORGED = "whsec_Zm9yZ2VkIHNlY3JldCBvZiBtYWxsb3J5"
REFUSED: dict[str, Callable[[], dict[str, str]]] = {
    "without a signature": dict,
    "of another secret": lambda: signed(BODY, FORGED),
    "of another body": lambda: signed(b'{"id": "p2"}'),
    "that is an hour old": lambda: signed(BODY, age=timedelta(hours=1)),
    "that comes from the future": lambda: signed(BODY, age=timedelta(minutes=-6)),
    "with another id": lambda: signed(BODY) | {"webhook-id": "msg_2"},
    "with another time": lambda: signed(BODY) | {"webhook-timestamp": "1614265330"},
    "with a time that is none": lambda: signed(BODY) | {"webhook-timestamp": "now"},
    "of another version": lambda: signed(BODY) | {"webhook-signature": "v2,AAAA"},
    "that is no base64": lambda: signed(BODY) | {"webhook-signature": "v1,é!"},
    "without a comma": lambda: signed(BODY) | {"webhook-signature": "v1"},
}


@pytest.mark.parametrize("headers", REFUSED.values(), ids=REFUSED)
def test_a_webhook_is_refused(
    hearing: Flask, redis_url: str, headers: Callable[[], dict[str, str]]
) -> None:
    answer = send(hearing, BODY, headers())

    assert (answer.status_code, answer.get_json()["code"]) == (401, "unauthorized")
    assert messages(redis_url) == 0


def test_the_right_signature_may_stand_among_others(hearing: Flask, redis_url: str) -> None:
    headers = signed(BODY)
    headers["webhook-signature"] = f"v1,AAAA v2,BBBB {headers['webhook-signature']}"

    assert send(hearing, BODY, headers).status_code == 204


def test_a_body_that_is_not_utf_8_is_refused(hearing: Flask) -> None:
    assert send(hearing, b"\xff\xfe", signed(b"{}")).status_code == 401


@pytest.mark.parametrize(
    "body", [b"{}", b"[]", b"none", b'{"id": "../x", "status": "x"}', b"[" * 9999]
)
def test_what_is_signed_and_no_prediction_is_refused(hearing: Flask, body: bytes) -> None:
    answer = send(hearing, body, signed(body))

    assert (answer.status_code, answer.get_json()["code"]) == (400, "invalid_input")


def test_a_body_of_more_than_a_mebibyte_is_refused(hearing: Flask) -> None:
    body = b" " * (2**20 + 1)

    assert send(hearing, body, signed(body)).status_code == 413


def test_a_prediction_with_long_logs_is_taken(hearing: Flask) -> None:
    body = json.dumps(PREDICTION | {"logs": "x" * 500_000}).encode()

    assert send(hearing, body, signed(body)).status_code == 204


@pytest.mark.parametrize("reference", ["short", "r" * 33, "r" * 31 + "%2F", "../" * 11])
def test_what_cannot_be_a_reference_is_no_address(hearing: Flask, reference: str) -> None:
    path = f"/api/webhooks/replicate/{reference}"

    assert send(hearing, BODY, signed(BODY), path).status_code == 404


def test_without_a_broker_replicate_is_asked_to_send_it_again(settings: Settings) -> None:
    with serving(replace(settings, replicate_webhook_secret=(SECRET,))) as app:
        answer = send(app, BODY, signed(BODY))

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")


def test_a_service_without_webhooks_takes_none(app: Flask) -> None:
    assert send(app, BODY, signed(BODY)).status_code == 401
