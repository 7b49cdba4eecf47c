"""Following predictions and passing messages on, with real parts around a scripted Replicate."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from sqlalchemy import text, update

from models import lifecycle
from models.clock import from_now
from models.database import db
from models.orders import Turn
from models.tables import Attempt, Status
from tasks.collect import LONGEST_POLL, collect
from tasks.gear import Gear
from tasks.optimize import optimize_next
from tasks.provider_errors import Permanent, Retryable
from tasks.queues import depths
from tasks.sweep import sweep_once
from tasks.wake import LONGEST_COUNTDOWN
from tests.outside import NOWHERE, Outside, item_of
from tests.service import service, wait_until
from tests.shop import open_shop, submit
from tests.valkey import Valkey


def start(gear: Gear, deadline: float = 600.0) -> Turn:
    """Submit an image whose prediction is p1."""
    assert isinstance(gear.replicate, Outside)
    gear.replicate.made("p1", "processing")
    with gear.database():
        submit(open_shop("alice"))
        turn = lifecycle.claim_next(deadline)
        assert turn
        assert lifecycle.note(turn.attempt_id, "p1", check_in=0)
    return turn


def test_a_prediction_is_followed_for_days(gear: Gear) -> None:
    turn = start(gear)
    with gear.database():
        db.session.execute(update(Attempt).values(checks=100_000))
        db.session.commit()

    said = collect(gear, turn.attempt_id, 100_001)

    assert f"looked at again in {LONGEST_POLL:.0f} s" in said


def test_a_prediction_that_outlives_its_deadline_is_canceled(gear: Gear) -> None:
    turn = start(gear, deadline=-1.0)

    collect(gear, turn.attempt_id, 1)
    still = item_of(gear, turn).status
    collect(gear, turn.attempt_id, 2)

    item = item_of(gear, turn)
    assert still == Status.RUNNING
    assert (item.status, item.failed_attempts) == (Status.PENDING, 1)


def test_a_refused_cancel_leaves_the_decision_to_the_next_check(
    gear: Gear, outside: Outside
) -> None:
    turn = start(gear, deadline=-1.0)

    def refuse() -> None:
        raise Permanent("invalid_input", "it has ended")

    def let_the_next_call_refuse() -> None:
        outside.meanwhile = refuse

    outside.meanwhile = let_the_next_call_refuse
    collect(gear, turn.attempt_id, 1)

    assert item_of(gear, turn).status == Status.RUNNING


def test_a_prediction_that_can_never_be_read_is_lost_once_it_must_be_deleted(
    gear: Gear, outside: Outside
) -> None:
    turn = start(gear, deadline=-3600.0)
    with gear.database():
        db.session.execute(update(Attempt).values(deadline_at=from_now(-2 * 3600)))
        db.session.commit()

    def fall_silent() -> None:
        raise Retryable("no readable answer")

    outside.meanwhile = fall_silent
    collect(gear, turn.attempt_id, 1)

    item = item_of(gear, turn)
    assert (item.error_code, item.refunded) == ("result_lost", True)


def test_a_deleted_prediction_of_unknown_status_is_lost(gear: Gear, outside: Outside) -> None:
    turn = start(gear)
    outside.made("p1", "archived", data_removed=True)

    collect(gear, turn.attempt_id, 1)

    assert item_of(gear, turn).error_code == "result_lost"


def test_no_download_begins_in_a_process_that_ends(gear: Gear, outside: Outside) -> None:
    turn = start(gear)
    outside.made("p1", output=f"{NOWHERE}/result.jpg")
    outside.meanwhile = gear.stopping.set

    said = collect(gear, turn.attempt_id, 1)

    assert "left to another process" in said
    assert depths(gear.redis)["housekeeping"].ready == 1


def test_a_long_pause_is_left_to_the_sweep(gear: Gear) -> None:
    gear.waker.follow(1, 1, LONGEST_COUNTDOWN + 1)

    assert depths(gear.redis)["housekeeping"].ready == 0


def test_a_sweep_that_is_told_to_stop_sends_nothing_more(gear: Gear) -> None:
    start(gear)
    with gear.database():
        db.session.execute(update(Attempt).values(next_check_at=from_now(-60)))
        db.session.commit()
    gear.stopping.set()

    sweep_once(gear)

    assert depths(gear.redis)["housekeeping"].ready == 0


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)  # SQLite locks no rows.
def test_a_message_is_passed_on_while_its_instance_is_locked(gear: Gear) -> None:
    with gear.database():
        submit(open_shop("alice"))
        with db.engine.connect() as other:
            other.execute(text("SELECT 1 FROM instances FOR UPDATE"))
            said = optimize_next(gear, patience=0.5)

    assert said == "passed on"
    assert depths(gear.redis)["replicate"].ready == 1


def test_workers_ask_for_sweeps_also_after_the_broker_was_lost(
    own_valkey: Valkey, sqlite_database: str, tmp_path: Path
) -> None:
    environment = {
        "DATABASE_URL": sqlite_database,
        "REDIS_URL": own_valkey.url,
        "STORAGE_URL": f"file://{tmp_path}/results",
        "SECRET_KEY": "secret-of-the-tests",
        "REPLICATE_API_TOKEN": "r8_test",
        "SANDBOX": "true",
        "SWEEP_INTERVAL": "1s",
    }

    with service(tmp_path / "logs", **environment) as running:
        worker = running.worker()
        wait_until(lambda: asked(own_valkey), "asked at the start")
        own_valkey.kill()
        own_valkey.start()
        wait_until(lambda: worker.log.read_text().count("Connected to") == 2, "connected again")
        with redis.Redis.from_url(own_valkey.url) as client:
            client.delete("housekeeping")

        wait_until(lambda: asked(own_valkey), "asked again")


@pytest.fixture
def own_valkey() -> Iterator[Valkey]:
    server = Valkey().start()
    yield server
    server.close()


def asked(valkey: Valkey) -> bool:
    with redis.Redis.from_url(valkey.url) as client:
        return bool(client.llen("housekeeping"))
