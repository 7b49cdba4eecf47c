"""Who waits for most and who got the slots, on both databases."""

from flask import Flask
from sqlalchemy import update

from models import accounts, caps, lifecycle
from models.clock import from_now
from models.database import db
from models.shares import shares
from models.tables import Attempt
from tests.databases import bound
from tests.integration.test_claim_cost import overheard_queries, plan_of, wait_in_line
from tests.shop import DEADLINE, open_shop, submit


def claim(times: int) -> None:
    for _ in range(times):
        assert lifecycle.claim_next(DEADLINE)


def test_the_busiest_come_first_and_the_others_are_counted(in_database: Flask) -> None:
    for name, images in (("alice", 2), ("bob", 5), ("charlie", 3), ("dora", 1)):
        submit(open_shop(name), images)

    found = shares(busiest=2)

    assert [(each.name, each.due) for each in found.busiest] == [("bob", 5), ("charlie", 3)]
    assert (found.others, found.others_due) == (2, 3)


def test_a_disabled_instance_has_no_share(in_database: Flask) -> None:
    submit(open_shop("alice"), 2)
    accounts.disable("alice")

    assert (list(shares().busiest), shares().others) == ([], 0)


def test_slots_are_those_of_the_last_ten_minutes(in_database: Flask) -> None:
    submit(open_shop("alice"), 3)
    claim(1)
    with db.engine.begin() as connection:
        connection.execute(update(Attempt).values(created_at=from_now(-601)))
    submit(open_shop("bob"), 1)
    claim(2)

    found = shares()

    (alice,) = found.busiest
    assert (alice.name, alice.due, alice.slots) == ("alice", 1, 1)
    assert (found.slots, found.of(alice)) == (2, 0.5)


def test_who_was_never_served_has_no_last_time(in_database: Flask) -> None:
    submit(open_shop("alice"), 1)
    submit(open_shop("bob"), 3)
    claim(3)
    submit(open_shop("charlie"), 1)

    bob, charlie = shares().busiest

    assert bob.last_served
    assert (bob.last_served.year > 1970, charlie.last_served) == (True, None)


def test_of_capped_instances_what_runs_is_told_and_those_that_are_held_too(
    in_database: Flask,
) -> None:
    for name, images in (("alice", 4), ("bob", 3)):
        submit(open_shop(name), images)
    caps.set_caps("alice", running=1, waiting=None)
    claim(1)

    alice, bob = shares().busiest

    assert (alice.name, alice.due, alice.running, alice.cap) == ("alice", 3, 1, 1)
    assert (bob.running, bob.cap) == (None, None)
    assert shares(busiest=1).others == 1


def test_fewer_shown_are_counted_among_the_others(in_database: Flask) -> None:
    for name, images in (("alice", 2), ("bob", 5), ("charlie", 3)):
        submit(open_shop(name), images)

    found = shares(busiest=2).first(1)

    assert [each.name for each in found.busiest] == ["bob"]
    assert (found.others, found.others_due) == (2, 5)


def test_on_sqlite_shares_are_searched_by_index(sqlite_database: str) -> None:
    with bound(sqlite_database) as app, app.app_context():
        wait_in_line(1_000)
        claim(1)
        with overheard_queries() as queries:
            shares()
        steps = [step for query in queries for step in plan_of(query)]

    assert [step for step in steps if "ix_attempts_created_at" in step]
    assert [step for step in steps if "ix_instances_turn" in step]
    assert not [step for step in steps if step.startswith("SCAN i") and "INDEX" not in step]
