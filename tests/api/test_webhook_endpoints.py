"""/api/webhook-endpoints, on both databases where rows are written in a new way."""

from dataclasses import replace
from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

from config.settings import Settings
from models.outgoing import EVENTS
from tests.api.clients import Shop, open_shop
from tests.api.conftest import serving

ROUTE = "/api/webhook-endpoints"
URL = "https://shop.example/hooks"


def ask(shop: Shop, method: str, path: str = "", body: Any = None) -> TestResponse:
    return shop.client().open(f"{ROUTE}{path}", method=method, json=body, headers=shop.bearer)


def register(shop: Shop, **order: Any) -> dict[str, Any]:
    answer = ask(shop, "POST", body={"url": URL} | order)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.get_json()
    return found


def test_the_life_of_an_endpoint(any_app: Flask) -> None:
    alice = open_shop(any_app, "alice")

    made = register(alice, events=["job.completed"])
    address = f"/{made['id']}"
    shown = ask(alice, "GET", address).get_json()
    changed = ask(alice, "PATCH", address, {"enabled": False, "url": f"{URL}/2"}).get_json()
    rotated = ask(alice, "POST", f"{address}/rotate-secret").get_json()
    listed = ask(alice, "GET").get_json()["endpoints"]
    enabled = ask(alice, "PATCH", address, {"enabled": True}).get_json()
    deleted = ask(alice, "DELETE", address)

    assert shown == {key: value for key, value in made.items() if key != "secret"}
    assert shown["events"] == ["job.completed"]
    assert made["secret"].startswith("whsec_")
    assert (changed["enabled"], changed["url"]) == (False, f"{URL}/2")
    assert "disabledAt" in changed
    assert rotated["secret"] not in {made["secret"], ""}
    assert rotated["previousSecretUntil"] > rotated["createdAt"]
    assert listed == [{key: value for key, value in rotated.items() if key != "secret"}]
    assert enabled["enabled"]
    assert "disabledAt" not in enabled
    assert (deleted.status_code, deleted.data) == (204, b"")
    assert ask(alice, "GET", address).status_code == 404
    assert ask(alice, "DELETE", address).status_code == 404


def test_all_events_are_wanted_unless_some_are_named(alice: Shop) -> None:
    assert register(alice)["events"] == list(EVENTS)


def test_the_answer_says_where_it_is_and_only_then_the_secret(alice: Shop) -> None:
    answer = ask(alice, "POST", body={"url": URL})

    where = answer.headers["Location"]
    shown = alice.get(where)
    assert where == f"{ROUTE}/{answer.get_json()['id']}"
    assert shown.status_code == 200
    assert answer.get_json()["secret"] not in shown.text


def test_the_sixth_is_refused(alice: Shop, bob: Shop) -> None:
    for _ in range(5):
        register(alice)

    answer = ask(alice, "POST", body={"url": URL})

    assert (answer.status_code, answer.get_json()["code"]) == (409, "too_many_webhook_endpoints")
    assert len(ask(alice, "GET").get_json()["endpoints"]) == 5
    register(bob)


# What is wrong with each, by the field's path.
WRONG: list[tuple[str, dict[str, Any]]] = [
    ("url", {}),
    ("url", {"url": "http://shop.example/hooks"}),
    ("url", {"url": "ftp://shop.example/hooks"}),
    ("url", {"url": "https://user:word@shop.example/"}),
    ("url", {"url": "https://localhost/hooks"}),
    ("url", {"url": "https://169.254.169.254/latest"}),
    ("url", {"url": "https://[::1]/hooks"}),
    ("url", {"url": f"https://shop.example/{'x' * 2048}"}),
    ("events", {"url": URL, "events": []}),
    ("events.1", {"url": URL, "events": ["job.completed", "job.started"]}),
    ("events", {"url": URL, "events": ["job.failed", "job.failed"]}),
    ("secret", {"url": URL, "secret": "whsec_AAAA"}),
]


def test_what_cannot_be_registered(alice: Shop) -> None:
    answers = [ask(alice, "POST", body=order) for _field, order in WRONG]

    assert {answer.status_code for answer in answers} == {400}
    assert [list(each.get_json()["errors"]) for each in answers] == [[f] for f, _order in WRONG]
    assert ask(alice, "GET").get_json() == {"endpoints": []}


def test_what_cannot_be_changed(alice: Shop) -> None:
    made = register(alice)
    wrong: list[dict[str, Any]] = [{"enabled": 1}, {"enabled": None}, {"id": 2}, {"url": ""}]

    answers = [ask(alice, "PATCH", f"/{made['id']}", changes) for changes in wrong]

    assert {answer.status_code for answer in answers} == {400}
    assert ask(alice, "GET", f"/{made['id']}").get_json()["enabled"] is True


def test_a_setting_allows_this_machine(settings: Settings) -> None:
    with serving(replace(settings, allow_private_webhook_urls=True)) as app:
        made = register(open_shop(app, "alice"), url="http://127.0.0.1:8080/hooks")

    assert made["url"] == "http://127.0.0.1:8080/hooks"


def test_bob_cannot_see_or_touch_alices(alice: Shop, bob: Shop) -> None:
    address = f"/{register(alice)['id']}"

    refused = [
        ask(bob, "GET", address),
        ask(bob, "PATCH", address, {"enabled": False}),
        ask(bob, "DELETE", address),
        ask(bob, "POST", f"{address}/rotate-secret"),
        ask(bob, "POST", f"{address}/test"),
    ]

    assert {answer.status_code for answer in refused} == {404}
    assert ask(bob, "GET").get_json() == {"endpoints": []}
    assert ask(alice, "GET", address).get_json()["enabled"] is True


def test_a_tag_lasts_until_the_next_change(alice: Shop) -> None:
    made = register(alice)
    for path in (ROUTE, f"{ROUTE}/{made['id']}"):
        tag = {"If-None-Match": alice.get(path).headers["ETag"]}
        assert alice.get(path, tag).status_code == 304
        ask(alice, "PATCH", f"/{made['id']}", {"events": ["item.failed"]})

        assert alice.get(path, tag).status_code == 200


def test_a_test_is_sent_where_something_is_sent(alice: Shop) -> None:
    address = f"/{register(alice, events=['job.failed'])['id']}"

    answer = ask(alice, "POST", f"{address}/test")
    ask(alice, "PATCH", address, {"enabled": False})
    refused = ask(alice, "POST", f"{address}/test")

    assert answer.status_code == 202
    assert (answer.get_json()["event"], answer.get_json()["status"]) == ("test", "PENDING")
    assert alice.get(answer.headers["Location"]).get_json() == answer.get_json()
    assert (refused.status_code, refused.get_json()["code"]) == (409, "webhook_endpoint_disabled")
