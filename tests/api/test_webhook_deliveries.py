"""/api/webhook-deliveries, on both databases."""

import redis
from flask import Flask

from api import current
from models import endpoints, lifecycle, sending
from tasks.queues import depths
from tests.api.clients import Shop, open_shop, order
from tests.api.conftest import serving
from tests.databases import settings_for
from tests.receiver import finish_next, listen, rows

ROUTE = "/api/webhook-deliveries"
URL = "https://shop.example/hooks"


def resend(shop: Shop, delivery_id: int) -> tuple[int, dict[str, object]]:
    answer = shop.client().post(f"{ROUTE}/{delivery_id}/resend", headers=shop.bearer)
    return answer.status_code, answer.get_json()


def ended(shop: Shop, images: int = 1) -> int:
    """Let a shop's images end, of which two endpoints are told; return the first one's id."""
    with shop.app.app_context():
        first, _second = listen(shop.id, URL), listen(shop.id, URL)
        shop.post(order(images))
        for _ in range(images):
            finish_next()
    return first.id


def listed(shop: Shop, query: str) -> list[int]:
    return [each["id"] for each in shop.get(f"{ROUTE}?{query}").get_json()["deliveries"]]


def deliver(shop: Shop, number: int, arrives: bool) -> None:
    """Let so many of what is due arrive, or fail for good."""
    with shop.app.app_context():
        for _ in range(number):
            found = sending.next_due()
            assert found
            assert sending.take(*found, again_in=30)
            if arrives:
                sending.arrived(*found, status=204)
            else:
                sending.missed(*found, "It answered 500.", 500)


def test_deliveries_are_listed_newest_first_by_status_and_endpoint(any_app: Flask) -> None:
    alice = open_shop(any_app, "alice")
    endpoint = ended(alice, images=2)
    deliver(alice, 2, arrives=True)
    deliver(alice, 1, arrives=False)
    with any_app.app_context():
        every = [each.id for each in reversed(rows())]
        own = [each.id for each in reversed(rows()) if each.endpoint_id == endpoint]

    first = alice.get(f"{ROUTE}?limit=4").get_json()
    second = alice.get(f"{ROUTE}?limit=4&cursor={first['nextCursor']}").get_json()

    assert [each["id"] for each in first["deliveries"] + second["deliveries"]] == every
    assert len(every) == 6
    assert second["nextCursor"] is None
    assert listed(alice, f"endpointId={endpoint}") == own
    assert len(listed(alice, "status=DELIVERED")) == 2
    assert len(listed(alice, "status=DELIVERED,FAILED")) == 3
    assert len(listed(alice, "status=PENDING")) == 3
    assert listed(alice, f"status=FAILED&endpointId={endpoint}") == listed(alice, "status=FAILED")
    assert listed(alice, f"status=FAILED&endpointId={endpoint + 1}") == []
    assert alice.get(f"{ROUTE}?status=DONE").status_code == 400
    assert alice.get(f"{ROUTE}?endpointId=0").status_code == 400


def test_a_delivery_shows_what_became_of_it(any_app: Flask) -> None:
    alice = open_shop(any_app, "alice")
    ended(alice)
    with any_app.app_context():
        waiting, *_ = rows()
    before = alice.get(f"{ROUTE}/{waiting.id}")
    tag = {"If-None-Match": before.headers["ETag"]}
    unchanged = alice.get(f"{ROUTE}/{waiting.id}", tag)
    deliver(alice, 1, arrives=False)

    after = alice.get(f"{ROUTE}/{waiting.id}", tag)

    assert unchanged.status_code == 304
    assert before.get_json()["status"] == "PENDING"
    shown = after.get_json()
    assert "nextAttemptAt" in before.get_json()
    assert "nextAttemptAt" not in shown
    assert (shown["status"], shown["attempts"], shown["event"]) == ("FAILED", 1, "item.completed")
    assert (shown["responseStatus"], shown["error"]) == (500, "It answered 500.")
    assert shown["finishedAt"] >= shown["createdAt"]
    assert shown["messageId"] == before.get_json()["messageId"] == waiting.message_id


def test_one_that_has_ended_can_be_sent_again(any_app: Flask) -> None:
    alice = open_shop(any_app, "alice")
    endpoint = ended(alice)
    deliver(alice, 1, arrives=True)
    deliver(alice, 1, arrives=False)
    with any_app.app_context():
        delivered, failed, *_ = (each.id for each in rows())

    again = [resend(alice, delivered), resend(alice, failed)]
    with any_app.app_context():
        endpoints.change(alice.id, endpoint, enabled=False)
        disabled = [each.id for each in rows() if each.endpoint_id == endpoint]
    refused = [resend(alice, each) for each in disabled]

    assert {status for status, _body in again} == {202}
    assert {(body["status"], body["attempts"]) for _status, body in again} == {("PENDING", 1)}
    assert refused
    assert {body["code"] for _status, body in refused} == {"webhook_endpoint_disabled"}


def test_bob_cannot_see_or_send_alices(alice: Shop, bob: Shop) -> None:
    endpoint = ended(alice)
    with alice.app.app_context():
        delivery, *_ = rows()
    cursor = alice.get(f"{ROUTE}?limit=1").get_json()["nextCursor"]

    shown = bob.get(f"{ROUTE}/{delivery.id}")
    status, _problem = resend(bob, delivery.id)

    assert (shown.status_code, status) == (404, 404)
    assert listed(bob, f"endpointId={endpoint}") == listed(bob, "limit=100") == []
    assert bob.get(f"{ROUTE}?cursor={cursor}").status_code == 400


def test_whoever_writes_one_in_a_request_or_command_wakes_a_housekeeper(
    sqlite_database: str, redis_url: str
) -> None:
    settings = settings_for(sqlite_database, redis_url=redis_url)
    with serving(settings) as app, redis.Redis.from_url(redis_url) as client:
        alice = open_shop(app, "alice")
        with app.app_context():
            listen(alice.id, URL)
        alice.post(order(2))
        before = depths(client)["housekeeping"].total
        with app.app_context():
            lifecycle.cancel_waiting(alice.id)
        woken = depths(client)["housekeeping"].total - before
        with app.app_context():
            current.parts().redis.close()

    assert woken == 1
