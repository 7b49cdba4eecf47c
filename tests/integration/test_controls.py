"""What operators set stands in the database, on both of them."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from sqlalchemy import update

from config.forms import RateLimit
from models import audit, controls, following, invariants, lifecycle, turns
from models.clock import from_now
from models.controls import Pace
from models.database import db
from models.tables import Control
from tasks.gear import Gear
from tasks.limiter import Wait
from tasks.optimize import optimize_next
from tasks.queues import depths
from tasks.sweep import announce
from tests.limiter_steps import ask_until_seeded
from tests.outside import Outside
from tests.shop import DEADLINE, open_shop, submit

SETTINGS = Pace(RateLimit(5, 30.0), 1.0)
FAST, SLOW = Pace(RateLimit(50, 60.0), 0.0), Pace(RateLimit(1, 10.0), 0.0)


def test_while_there_is_a_pause_nothing_is_due(in_database: Flask) -> None:
    submit(open_shop("alice"), images=2)

    controls.pause("the model is being changed", "olga")
    controls.pause("it takes longer", "olga")
    during = (turns.anything_due(), following.due_items(), lifecycle.claim_next(DEADLINE))
    found = controls.paused()
    ended = [controls.resume("olga"), controls.resume("olga")]

    assert during == (False, 0, None)
    assert found
    assert (found.reason, found.by) == ("it takes longer", "olga")
    assert ended == [True, False]
    assert following.due_items() == 2
    assert lifecycle.claim_next(DEADLINE)
    assert controls.paused() is None
    actions = [entry.action for entry in audit.entries(10)]
    assert actions == ["queue resume", "queue pause", "queue pause"]


def test_a_claim_on_its_way_is_the_last_before_a_pause(bare_app: Flask) -> None:
    """Whoever claims while the pause is written either was before it or gets nothing."""
    with bare_app.app_context():
        for number in range(3):
            submit(open_shop(f"shop-{number}"), images=10)
    begun, written = threading.Event(), threading.Event()

    def claim_on() -> int:
        late = 0
        with bare_app.app_context():
            while True:
                after = written.is_set()
                turn = lifecycle.claim_next(DEADLINE)
                begun.set()
                if turn is None:
                    return late
                late += after

    with ThreadPoolExecutor(4) as workers:
        claims = [workers.submit(claim_on) for _ in range(4)]
        begun.wait(20)
        with bare_app.app_context():
            controls.pause("", "olga")
        written.set()

        assert sum(each.result() for each in claims) == 0


def test_workers_send_nothing_during_a_pause_and_go_on_after_it(
    gear: Gear, outside: Outside
) -> None:
    with gear.database():
        submit(open_shop("alice"), images=2)
        controls.pause("an outage", "olga")

    said = [optimize_next(gear, patience=5.0), announce(gear)]
    waiting = depths(gear.redis)["replicate"].total
    with gear.database():
        controls.resume("olga")

    assert said == ["nothing is due", "paused by olga: an outage"]
    assert waiting == 0
    assert announce(gear) == "2 due, 2 messages were missing"


def test_a_pace_is_kept_with_those_that_it_replaced(in_database: Flask) -> None:
    before = controls.terms()

    controls.set_pace(FAST, SETTINGS, "olga")
    controls.set_pace(SLOW, SETTINGS, "olga")
    slow = controls.terms()
    back = controls.set_pace(None, SETTINGS, "olga")

    assert before == controls.AS_SET
    assert (slow.pace, [each.pace for each in slow.former]) == (SLOW, [SETTINGS, FAST])
    assert [each.left for each in slow.former] == pytest.approx([30, 60], abs=20)
    assert (back.pace, [each.pace for each in back.former]) == (None, [FAST, SLOW])
    assert 0 < slow.revision < back.revision == controls.terms().revision


def test_a_former_pace_binds_for_its_window_and_only_once(in_database: Flask) -> None:
    controls.set_pace(FAST, SETTINGS, "olga")
    shift = {"value": _ago(db.session.get_one(Control, "limit").value, 31.0)}
    db.session.execute(update(Control).values(shift))
    db.session.commit()

    expired = controls.terms()
    for pace in (SLOW, FAST, SLOW, FAST):
        controls.set_pace(pace, SETTINGS, "olga")
    swung = controls.terms()
    at_once = controls.set_pace(SLOW, SETTINGS, "olga", at_once=True)

    assert expired.former == ()
    assert [each.pace for each in swung.former] == [SLOW]
    assert (at_once.former, at_once.at_once) == ((), True)


def _ago(value: dict[str, object], seconds: float) -> dict[str, object]:
    """A limit's row as if it had been written so long ago."""
    moment = db.session.scalars(db.select(from_now(-seconds + 30.0))).one()
    former = value["former"]
    assert isinstance(former, list)
    return value | {"former": [each | {"until": moment.isoformat()} for each in former]}


def test_changes_at_the_same_moment_have_an_order(bare_app: Flask) -> None:
    def change(count: int) -> int:
        with bare_app.app_context():
            pace = Pace(RateLimit(count, 30.0), 0.0)
            return controls.set_pace(pace, SETTINGS, "olga").revision

    with ThreadPoolExecutor(8) as operators:
        revisions = list(operators.map(change, range(1, 17)))

    assert len(set(revisions)) == 16
    with bare_app.app_context():
        last = controls.terms()
        assert last.pace
        assert revisions[last.pace.limit.count - 1] == last.revision == max(revisions)


def test_a_worker_keeps_what_the_database_says(gear: Gear) -> None:
    ask_until_seeded(gear.limiter)
    with gear.database():
        controls.set_pace(SLOW, SETTINGS, "olga", at_once=True)

    answers = [gear.limiter.ask() for _ in range(3)]
    gear.redis.flushall()

    assert isinstance(answers[0], Wait)
    assert answers[0].reason == "limit changed"
    assert isinstance(answers[2], Wait)
    assert (gear.limiter.state().limit, gear.limiter.state().window) == (1, 10.0)


def test_an_entry_of_the_audit_can_be_found_again(in_database: Flask) -> None:
    for number in range(3):
        audit.record("olga", "tested", f"shop-{number % 2}", number=number)

    newest = audit.entries(2)
    older = audit.entries(9, before=newest[-1].id)
    about = audit.entries(9, subject="shop-0")

    assert [entry.details["number"] for entry in newest] == [2, 1]
    assert [entry.details["number"] for entry in older] == [0]
    assert [entry.details["number"] for entry in about] == [2, 0]
    assert newest[0].actor == "olga"
    assert not invariants.findings()
