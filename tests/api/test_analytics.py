"""GET /api/analytics and /api/analytics.csv."""

import csv
from datetime import timedelta

import pytest
from flask import Flask

from models import lifecycle, usage
from tests.api.clients import Shop, image, open_shop, order
from tests.shop import DEADLINE

ROUTE = "/api/analytics"
NOTHING = {"done": 0, "failed": 0, "canceled": 0, "reused": 0, "creditsSpent": 0}


def finish(app: Flask, image: int = 1) -> None:
    """Let the next image be made."""
    with app.app_context():
        turn = lifecycle.claim_next(DEADLINE)
        assert turn
        lifecycle.note(turn.attempt_id, f"p{image}", 1.0)
        lifecycle.finish(turn.attempt_id, f"{image:032x}.jpg", "image/jpeg")


def fail(app: Flask) -> None:
    with app.app_context():
        turn = lifecycle.claim_next(DEADLINE)
        assert turn
        lifecycle.fail(turn.attempt_id, "bad_image_url", refund=False)


def test_what_has_just_become_final_is_there(any_app: Flask) -> None:
    alice, bob = open_shop(any_app, "alice"), open_shop(any_app, "bob")
    formula = '=HYPERLINK("https://evil.example")'
    alice.post(order(images=[image(n, prompt=formula) for n in range(3)]))
    finish(any_app)
    fail(any_app)
    with any_app.app_context():
        today = usage.today()

    found = alice.get(ROUTE).get_json()

    assert (found["from"], found["to"]) == (str(today - timedelta(29)), str(today))
    spent = {"done": 1, "failed": 1, "canceled": 0, "reused": 0, "creditsSpent": 30}
    assert found["totals"] == spent | {"images": 2, "successRate": 0.5}
    assert found["duration"]["medianSeconds"] == found["duration"]["p95Seconds"] > 0
    assert found["days"][-1] == {"date": str(today)} | spent
    assert [{"date": day["date"]} | NOTHING for day in found["days"][:-1]] == found["days"][:-1]
    (error,) = found["errors"]
    assert (error["errorCode"], error["images"]) == ("bad_image_url", 1)
    assert error["sentence"].endswith(".")
    assert found["favouritePrompts"] == [{"prompt": formula, "images": 2}]

    file = alice.get(f"{ROUTE}.csv?from={today}&to={today}")
    assert file.mimetype == "text/csv"
    name = f'attachment; filename="darkroom-usage-{today}-{today}.csv"'
    assert file.headers["Content-Disposition"] == name
    names, line = csv.reader(file.text.splitlines())
    assert names == ["date", *spent]
    # No text of anybody's is in it, which a spreadsheet could take for a formula.
    assert line == [str(today), *map(str, spent.values())]

    nothing = bob.get(ROUTE).get_json()
    assert nothing["totals"] == NOTHING | {"images": 0, "successRate": None}
    assert nothing["duration"] == {"medianSeconds": None, "p95Seconds": None}
    assert nothing["errors"] == nothing["favouritePrompts"] == []


@pytest.mark.parametrize("route", [ROUTE, f"{ROUTE}.csv"])
def test_it_is_sent_again_only_when_something_was_counted(
    app: Flask, alice: Shop, route: str
) -> None:
    alice.post(order(2))
    finish(app)
    tag = alice.get(route).headers["ETag"]

    same = alice.get(route, {"If-None-Match": tag})
    fail(app)
    other = alice.get(route, {"If-None-Match": tag})

    assert (same.status_code, same.data) == (304, b"")
    assert other.status_code == 200


def test_a_leap_year_is_the_longest_that_can_be_asked_for(alice: Shop) -> None:
    year = alice.get(f"{ROUTE}?from=2024-01-01&to=2024-12-31").get_json()
    more = alice.get(f"{ROUTE}?from=2024-01-01&to=2025-01-01")
    end_of_time = alice.get(f"{ROUTE}?to=9999-12-31").get_json()

    assert [day["date"] for day in year["days"]][58:61] == [
        "2024-02-28",
        "2024-02-29",
        "2024-03-01",
    ]
    assert len(year["days"]) == 366
    assert (more.status_code, list(more.get_json()["errors"])) == (400, ["from"])
    assert (end_of_time["from"], end_of_time["to"]) == ("9999-12-02", "9999-12-31")


@pytest.mark.parametrize(
    ("query", "path"),
    [
        ("from=20260131", "from"),
        ("from=2026-W05-6", "from"),
        ("from=2026-02-30", "from"),
        ("from=1999-12-31", "from"),
        ("from=\N{FULLWIDTH DIGIT TWO}026-01-31", "from"),
        ("to=2026-01-31T00:00:00Z", "to"),
        ("to=", "to"),
        ("from=2026-01-02&to=2026-01-01", "from"),
        ("from=9999-12-31", "from"),
        ("since=2026-01-01", "since"),
    ],
)
def test_days_that_are_none_are_refused(lasting_app: Flask, query: str, path: str) -> None:
    shop = open_shop(lasting_app, query)

    answers = [shop.get(f"{route}?{query}") for route in (ROUTE, f"{ROUTE}.csv")]

    for answer in answers:
        assert (answer.status_code, list(answer.get_json()["errors"])) == (400, [path])
