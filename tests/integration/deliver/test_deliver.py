"""Webhooks to a receiver on this machine: signed, and tried for a day."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import select, update

from models import accounts, endpoints, lifecycle, outgoing, sending, uploads
from models.clock import age, from_now
from models.database import db
from models.orders import ImageOrder, JobOrder
from models.tables import DeliveryStatus, WebhookDelivery, WebhookEndpoint
from tasks.courier import signed
from tasks.deliver import PAUSES, deliver_due
from tasks.gear import Gear
from tasks.measure import read_tries
from tasks.sweep import sweep_once
from tests.integration.deliver.kit import ON_SQLITE, messages, one_end, states
from tests.receiver import fail_next, heard, ids, let_pauses_pass, listen, rows
from tests.scripted_server import ScriptedServer, answer
from tests.shop import PRICE, open_shop

DELIVERED, PENDING = DeliveryStatus.DELIVERED, DeliveryStatus.PENDING


def test_what_ended_is_told_once_and_signed(gear: Gear, app: ScriptedServer) -> None:
    before = messages(gear)
    endpoint = one_end(gear, f"{app.url}/hooks?shop=1")
    woken = messages(gear) - before

    said = [deliver_due(gear), deliver_due(gear)]

    item, job = heard(app, endpoint.secret)
    assert woken == 1
    assert said == ["2 delivered", "nothing is due"]
    assert (item["type"], job["type"]) == ("item.completed", "job.completed")
    assert item["data"]["job"] == {
        name: job["data"]["job"][name]
        for name in ("id", "productId", "productName", "totalImages", "createdAt")
    }
    assert item["data"]["item"]["status"] == job["data"]["job"]["status"] == "DONE"
    assert item["data"]["item"]["optimizedImageUrl"].startswith("https://darkroom.example/results/")
    assert item["data"]["item"]["creditsCharged"] == 15
    assert job["data"]["job"]["completedImages"] == 1
    assert datetime.fromisoformat(item["timestamp"]).tzinfo == UTC
    assert {request.target for request in app.requests} == {"/hooks?shop=1"}
    with gear.database():
        assert [each.message_id for each in rows()] == ids(app)
        assert {(each.status, each.response_status, each.attempts) for each in rows()} == {
            (DELIVERED, 204, 1)
        }
    assert read_tries(gear.redis) == {"delivered": 2, "retried": 0, "failed": 0}


@ON_SQLITE
def test_a_failure_is_told_with_its_reason(gear: Gear, app: ScriptedServer) -> None:
    with gear.database():
        alice = open_shop("alice")
        endpoint = listen(alice, app.url, "item.failed")
        key = f"{1:032x}.png"
        picture = uploads.Picture(key, "0" * 64, None, "image/png", 9, 3, 3)
        uploads.keep(uploads.reserve(alice, picture), 60.0)
        pictures = f"/uploads/{key}", ("https://shop.example/style.jpg", f"/uploads/{key}")
        image = ImageOrder("cup", pictures[0], "brighter", reference_urls=pictures[1])
        lifecycle.submit(alice, JobOrder("cup", "The cup", (image,)), PRICE)
        fail_next()

    deliver_due(gear)

    (told,) = heard(app, endpoint.secret)
    address = f"https://darkroom.example/uploads/{key}"
    assert told["data"]["item"]["imageUrl"] == address
    assert told["data"]["item"]["referenceImageUrls"] == [pictures[1][0], address]
    assert told["data"]["item"]["errorCode"] == "model_failed"
    assert told["data"]["item"]["retryable"] is True
    assert "optimizedImageUrl" not in told["data"]["item"]


@ON_SQLITE
def test_what_is_refused_is_tried_for_a_day_with_the_same_id(
    gear: Gear, app: ScriptedServer
) -> None:
    app.play(answer(500))
    endpoint = one_end(gear, app.url, "item.completed")
    pauses, said = [], []

    while states(gear) == [PENDING]:
        with gear.database():
            let_pauses_pass()
        said.append(deliver_due(gear))
        pauses.append(pause(gear))

    assert said == ["1 retried"] * len(PAUSES) + ["1 failed"]
    assert pauses == [pytest.approx(each, rel=0.11, abs=2) for each in (*PAUSES, 0)]
    assert 24 * 3600 < sum(PAUSES) < 27 * 3600
    assert len(set(ids(app))) == 1
    assert len({request.body for request in app.requests}) == 1
    assert len(heard(app, endpoint.secret)) == len(PAUSES) + 1
    with gear.database():
        (row,) = rows()
    assert (row.error, row.response_status) == ("It answered 500.", 500)


def pause(gear: Gear) -> float:
    """How long the delivery rests now; 0 for one that has ended."""
    with gear.database():
        rest = db.session.scalar(select(age(WebhookDelivery.next_attempt_at)))
        db.session.rollback()
    return -(rest or 0.0)


@ON_SQLITE
def test_what_was_sent_may_be_sent_again(gear: Gear, app: ScriptedServer) -> None:
    endpoint = one_end(gear, app.url, "item.completed")
    deliver_due(gear)
    app.scripts[:] = [answer(500), answer(200)]

    with gear.database():
        outgoing.resend(endpoint.instance_id, rows()[0].id)
    said = [deliver_due(gear)]
    with gear.database():
        let_pauses_pass()
    said.append(deliver_due(gear))

    assert said == ["1 retried", "1 delivered"]
    assert len(set(ids(app))) == 1
    assert len(app.requests) == 3
    with gear.database():
        assert [(each.attempts, each.error) for each in rows()] == [(3, None)]


@ON_SQLITE
def test_an_endpoint_that_says_it_is_gone_is_disabled(gear: Gear, app: ScriptedServer) -> None:
    app.play(answer(410))
    endpoint = one_end(gear, app.url)

    said = deliver_due(gear)

    assert said == "2 failed"
    assert len(app.requests) == 1
    with gear.database():
        assert not endpoints.find(endpoint.instance_id, endpoint.id).enabled
        assert [each.error for each in rows()] == ["It answered 410.", "The endpoint is disabled."]


@ON_SQLITE
def test_a_disabled_shop_is_told_nothing(gear: Gear, app: ScriptedServer) -> None:
    one_end(gear, app.url)
    with gear.database():
        accounts.disable("alice")

    said = deliver_due(gear)

    assert said == "2 failed"
    assert app.requests == []


@ON_SQLITE
def test_while_a_secret_is_rotated_both_sign(gear: Gear, app: ScriptedServer) -> None:
    old = one_end(gear, app.url)
    with gear.database():
        new = endpoints.rotate_secret(old.instance_id, old.id)
    deliver_due(gear)
    both = [heard(app, secret) for secret in (old.secret, new.secret)]
    with gear.database():
        day = update(WebhookEndpoint).values(previous_secret_until=from_now(-1))
        db.session.execute(day)
        db.session.commit()
        outgoing.resend(old.instance_id, rows()[0].id)
    app.requests.clear()
    deliver_due(gear)

    assert both[0] == both[1]
    assert new.secret != old.secret
    (request,) = app.requests
    assert len(request.headers["webhook-signature"].split()) == 1
    assert heard(app, new.secret)


def test_the_sweep_sends_what_a_dead_sender_left(gear: Gear, app: ScriptedServer) -> None:
    endpoint = one_end(gear, app.url, "item.completed")
    with gear.database():
        found = sending.next_due()
        assert found
        assert sending.take(*found, again_in=30)
    held = deliver_due(gear)
    with gear.database():
        let_pauses_pass()
    before = messages(gear)

    said = sweep_once(gear)
    sent = deliver_due(gear)

    assert held == "nothing is due"
    assert "1 webhooks due" in said
    assert messages(gear) == before + 1
    assert sent == "1 delivered"
    assert len(heard(app, endpoint.secret)) == 1


@ON_SQLITE
def test_a_test_is_tried_once(gear: Gear, app: ScriptedServer) -> None:
    app.play(answer(500))
    with gear.database():
        alice = open_shop("alice")
        endpoint = listen(alice, app.url, "job.failed")
        outgoing.send_test(alice, endpoint.id)

    said = deliver_due(gear)

    assert said == "1 failed"
    (told,) = heard(app, endpoint.secret)
    assert (told["type"], told["data"]) == ("test", {"endpointId": endpoint.id})


def test_the_signature_is_that_of_the_standard() -> None:
    at = datetime.fromtimestamp(1_614_265_330, UTC)
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

    headers = signed("msg_p5jXN8AQM9LWM0D4loKWxJek", at, '{"test": 2432232314}', [secret])

    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
