"""GET /api/credits/entries."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import chain

from flask import Flask
from sqlalchemy import update

from models import ledger, usage
from models.database import db
from models.tables import CreditEntry
from tests.api.clients import Shop, open_shop, order

ROUTE = "/api/credits/entries"


def grant(app: Flask, shop: Shop, amounts: Iterator[int] | range) -> None:
    with app.app_context():
        for amount in amounts:
            ledger.grant(shop.id, amount, f"test:{shop.id}:{amount}")


def amounts(shop: Shop, query: str = "") -> list[list[int]]:
    """What the entries of each page changed."""
    cursor: str | None = ""
    pages: list[list[int]] = []
    while cursor is not None:
        body = shop.get(f"{ROUTE}?limit=3{query}{cursor and f'&cursor={cursor}'}").get_json()
        pages.append([entry["amount"] for entry in body["entries"]])
        cursor = body["nextCursor"]
    return pages


def test_entries_follow_each_other_newest_first(any_app: Flask) -> None:
    alice, bob = open_shop(any_app, "alice"), open_shop(any_app, "bob")
    alice.post(order(2))
    grant(any_app, alice, range(1, 5))
    grant(any_app, bob, range(7, 8))

    pages = amounts(alice)
    first = alice.get(ROUTE).get_json()["entries"]

    assert pages == [[4, 3, 2], [1, -30, 15_000]]
    assert first[4].pop("createdAt").endswith("Z")
    assert first[4] == {
        "id": 3,
        "kind": "CHARGE",
        "amount": -30,
        "balanceAfter": 14_970,
        "reference": "charge:job:1",
    }
    assert first[0]["balanceAfter"] == alice.balance()


def test_entries_of_some_days(any_app: Flask) -> None:
    alice, bob = open_shop(any_app, "alice"), open_shop(any_app, "bob")
    for amount in range(1, 10):
        for shop in (alice, bob):
            grant(any_app, shop, range(amount, amount + 1))
    with any_app.app_context(), db.engine.begin() as connection:
        tenth = datetime(2026, 1, 10, tzinfo=UTC)
        for amount in range(1, 10):
            # Three a day: at its beginning, at noon, and at its end.
            day, part = divmod(amount - 1, 3)
            moment = tenth + timedelta(days=day, hours=12 * part, microseconds=-1000 * (part == 2))
            mine = CreditEntry.reference.like(f"test:%:{amount}")
            connection.execute(update(CreditEntry).where(mine).values(created_at=moment))
        opened = CreditEntry.reference.like("reset:%")
        connection.execute(update(CreditEntry).where(opened).values(created_at=tenth))

    def found(query: str) -> list[int]:
        return list(chain(*amounts(alice, query)))

    assert found("&from=2026-01-11&to=2026-01-11") == [6, 5, 4]
    assert found("&from=2026-01-11") == [9, 8, 7, 6, 5, 4]
    assert found("&to=2026-01-10") == [3, 2, 1, 15_000]
    assert found("&to=2026-01-09") == found("&from=2026-01-13") == []
    assert found("&from=2000-01-01&to=9999-12-31") == found("")


def test_bob_sees_nothing_of_alices_credits(app: Flask, alice: Shop, bob: Shop) -> None:
    grant(app, alice, range(1, 4))
    cursor = alice.get(f"{ROUTE}?limit=1").get_json()["nextCursor"]

    answer = bob.get(f"{ROUTE}?cursor={cursor}")

    assert [entry["amount"] for entry in bob.get(ROUTE).get_json()["entries"]] == [15_000]
    assert (answer.status_code, list(answer.get_json()["errors"])) == (400, ["cursor"])
    backwards = bob.get(f"{ROUTE}?from=2026-01-02&to=2026-01-01")
    assert (backwards.status_code, list(backwards.get_json()["errors"])) == (400, ["from"])


def test_unchanged_entries_are_not_sent_again(app: Flask, alice: Shop) -> None:
    with app.app_context():
        today = usage.today()
    route = f"{ROUTE}?from={today}"
    tag = alice.get(route).headers["ETag"]

    same = alice.get(route, {"If-None-Match": tag})
    grant(app, alice, range(1, 2))
    other = alice.get(route, {"If-None-Match": tag})

    assert (same.status_code, other.status_code) == (304, 200)
