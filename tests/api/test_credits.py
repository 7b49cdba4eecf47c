"""GET /api/credits."""

import re

from flask import Flask

from models import ledger
from tests.api.clients import Shop, open_shop, order

ROUTE = "/api/credits"


def test_a_shop_sees_what_it_has_and_when_it_gets_more(any_app: Flask) -> None:
    alice = open_shop(any_app, "alice")
    alice.post(order(2))

    body = alice.get(ROUTE).get_json()

    assert re.fullmatch(r"\d{4}-\d\d-01T00:00:00\.000Z", body.pop("resetsAt"))
    assert body == {
        "balance": 14_970,
        "plan": "pro",
        "monthlyAllotment": 15_000,
        "creditsPerImage": 15,
    }


def test_what_alice_spends_does_not_touch_bob(alice: Shop, bob: Shop) -> None:
    alice.post(order(2))

    assert bob.balance() == 15_000


def test_an_unchanged_balance_is_not_sent_again(app: Flask, alice: Shop) -> None:
    tag = alice.get(ROUTE).headers["ETag"]

    unchanged = alice.get(ROUTE, {"If-None-Match": tag})
    with app.app_context():
        ledger.grant(alice.id, 1, "test:one-more")
    changed = alice.get(ROUTE, {"If-None-Match": tag})

    assert (unchanged.status_code, unchanged.data) == (304, b"")
    assert unchanged.headers["Vary"] == "Authorization"
    assert (changed.status_code, changed.get_json()["balance"]) == (200, 15_001)


def test_a_query_is_refused(alice: Shop) -> None:
    assert alice.get(f"{ROUTE}?x=").status_code == 400
