"""POST /api/image-optimization."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
import redis
from flask import Flask
from sqlalchemy import create_engine, text
from werkzeug.test import TestResponse

from config.settings import Settings
from models import reports
from tests.api.clients import JOBS, Shop, image, open_shop, order
from tests.api.conftest import serving
from tests.databases import settings_for

KEY = {"Idempotency-Key": "order-1"}


def at_once(shop: Shop, times: int, headers: dict[str, str]) -> list[TestResponse]:
    with ThreadPoolExecutor(times) as threads:
        return list(threads.map(lambda _: shop.post(order(), headers), range(times)))


def test_the_receipt_has_exactly_the_shape_of_the_seed(alice: Shop) -> None:
    answer = alice.post(order(2))

    assert answer.status_code == 201
    body = answer.get_json()
    created_at = body["job"].pop("createdAt")
    assert len(created_at) == len("2026-01-31T09:30:00.000Z")
    assert created_at.endswith("Z")
    assert body == {
        "success": True,
        "job": {
            "id": 1,
            "productId": "cup",
            "productName": "The cup",
            "status": "PENDING",
            "totalImages": 2,
            "completedImages": 0,
            "failedImages": 0,
        },
        "creditsUsed": 30,
        "creditsRemaining": 14_970,
    }
    assert answer.headers["Location"] == f"{JOBS}/1"
    assert "Idempotent-Replayed" not in answer.headers


def test_addresses_are_absolute_only_by_setting(settings: Settings) -> None:
    with serving(replace(settings, public_base_url="https://api.example")) as app:
        alice = open_shop(app, "alice")

        answer = alice.post(order(), {"Host": "evil.example"})

    assert answer.headers["Location"] == f"https://api.example{JOBS}/1"


def test_one_message_per_image_is_sent_and_none_for_a_replay(
    settings: Settings, redis_url: str
) -> None:
    with serving(replace(settings, redis_url=redis_url)) as app:
        alice = open_shop(app, "alice")

        alice.post(order(3), KEY)
        alice.post(order(3), KEY)

    with redis.Redis.from_url(redis_url) as client:
        assert client.llen("replicate") == 3


def test_a_broker_that_is_down_neither_fails_nor_delays_an_order(alice: Shop) -> None:
    began = time.monotonic()
    answer = alice.post(order())

    assert answer.status_code == 201
    assert time.monotonic() - began < 2


def test_options_are_kept_or_have_their_defaults(app: Flask, alice: Shop) -> None:
    square = image(1, aspectRatio="1:1", outputFormat="png")

    alice.post(order(images=[image(0), square]))

    with app.app_context():
        found = [(item.aspect_ratio, item.output_format) for item in reports.items(1)]
    assert found == [("match_input_image", "jpg"), ("1:1", "png")]


@pytest.mark.parametrize(
    "changes",
    [
        {"productId": "x" * 255},
        {"productName": "\N{KISSING FACE}" * 500},
        {"images": [image(0, prompt="\N{KISSING FACE}" * 2000)]},
        {"images": [image(0, imageUrl="HTTPS://shop.example/" + "x" * 2027)]},
        {"images": [image(0, imageUrl="http://[2606:4700::1111]:8080/x?y=1#z")]},
        {"images": [image(0, imageUrl="http://bücher.example/größe.jpg")]},
        {"images": [image(n) for n in range(10)]},
    ],
)
def test_the_largest_of_everything_is_taken(alice: Shop, changes: dict[str, Any]) -> None:
    answer = alice.post(order(**changes))

    assert answer.status_code == 201, answer.text


def test_texts_are_kept_as_they_were_sent(alice: Shop) -> None:
    answer = alice.post(order(images=[image(0, prompt="  brighter\n ", imageId=" ")]))

    detail = alice.get(answer.headers["Location"]).get_json()
    assert detail["items"][0]["prompt"] == "  brighter\n "
    assert detail["items"][0]["imageId"] == " "


def test_too_few_credits_change_nothing(app: Flask) -> None:
    alice = open_shop(app, "alice", credits=29)

    answer = alice.post(order(2), KEY)

    assert answer.status_code == 402
    problem = answer.get_json()
    assert (problem["code"], problem["cost"], problem["balance"]) == (
        "insufficient_credits",
        30,
        29,
    )
    assert alice.jobs() == []
    assert alice.balance() == 29


def test_a_refusal_is_not_stored_with_its_key(app: Flask) -> None:
    alice = open_shop(app, "alice", credits=15)
    alice.post(order(2), KEY)

    answer = alice.post(order(1), KEY)

    assert answer.status_code == 201


def test_the_same_key_gives_the_first_answer_again(alice: Shop) -> None:
    first = alice.post(order(), KEY)

    again = alice.post(order(), KEY)

    assert again.status_code == 201
    assert again.get_json() == first.get_json()
    assert again.headers["Location"] == first.headers["Location"]
    assert again.headers["Idempotent-Replayed"] == "true"
    assert alice.balance() == 14_985


def test_the_same_key_with_another_body_is_refused(alice: Shop) -> None:
    alice.post(order(), KEY)

    answer = alice.post(order(productName="Another"), KEY)

    assert answer.status_code == 422
    assert answer.get_json()["code"] == "idempotency_key_reused"
    assert len(alice.jobs()) == 1


def test_the_same_key_of_another_shop_is_another_key(alice: Shop, bob: Shop) -> None:
    alice.post(order(), KEY)

    answer = bob.post(order(), KEY)

    assert "Idempotent-Replayed" not in answer.headers
    assert len(bob.jobs()) == 1


def test_twenty_twins_at_once_make_one_job(any_app: Flask) -> None:
    alice = open_shop(any_app, "alice")

    answers = at_once(alice, 20, KEY)

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    assert sum("Idempotent-Replayed" in answer.headers for answer in answers) == 19
    assert alice.balance() == 14_985
    assert len(alice.jobs()) == 1


def test_fifty_orders_at_once_with_credits_for_ten(any_app: Flask) -> None:
    alice = open_shop(any_app, "alice", credits=150)

    answers = at_once(alice, 50, {})

    codes = [answer.status_code for answer in answers]
    assert (codes.count(201), codes.count(402)) == (10, 40)
    assert alice.balance() == 0
    assert len(alice.jobs()) == 10


def test_a_twin_that_takes_too_long_is_a_conflict(postgres_database: str) -> None:
    with serving(settings_for(postgres_database)) as app:
        alice = open_shop(app, "alice")
        engine = create_engine(postgres_database.replace("postgresql:", "postgresql+psycopg:"))
        with engine.connect() as connection:
            connection.execute(
                text(
                    "INSERT INTO idempotency_keys VALUES"
                    f" ({alice.id}, 'order-1', 'hash', '{{}}', now())"
                )
            )

            answer = alice.post(order(), KEY)
        engine.dispose()

    assert answer.status_code == 409
    assert answer.get_json()["code"] == "idempotency_key_in_use"
    assert answer.headers["Retry-After"] == "1"


@pytest.mark.parametrize("key", ["", "x" * 256, "\xfc"])
def test_a_key_that_is_no_key_is_refused(alice: Shop, key: str) -> None:
    answer = alice.post(order(), {"Idempotency-Key": key})

    assert answer.status_code == 400
    assert list(answer.get_json()["errors"]) == ["Idempotency-Key"]
    assert alice.jobs() == []
