"""Webhooks to an app that misbehaves, and from a process that is to end: bounded, never inside."""

import threading
import time
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select

from models.clock import age
from models.database import db
from models.tables import DeliveryStatus, WebhookDelivery
from tasks.courier import Courier
from tasks.deliver import deliver_due
from tasks.gear import Gear
from tests.integration.deliver.kit import ON_SQLITE, TOTAL, messages, one_end, states
from tests.outside import Outside, gear_around
from tests.receiver import rows
from tests.scripted_server import (
    Script,
    ScriptedServer,
    answer,
    dripping,
    garbage,
    scripted_server,
    silence,
)

ENDLESS = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"


@ON_SQLITE
@pytest.mark.parametrize(
    ("script", "error"),
    [
        (answer(302, Location="http://127.0.0.1:1/"), "It answered 302."),
        (answer(404, b"x" * 100_000), "It answered 404."),
        (garbage, "Its answer was not HTTP, or broke off."),
    ],
)
def test_only_a_2xx_counts(gear: Gear, app: ScriptedServer, script: Script, error: str) -> None:
    app.play(script)
    one_end(gear, app.url, "item.completed")

    said = deliver_due(gear)

    assert said == "1 retried"
    assert len(app.requests) == 1
    with gear.database():
        assert [each.error for each in rows()] == [error]


@ON_SQLITE
def test_an_answer_that_never_ends_is_an_answer(gear: Gear, app: ScriptedServer) -> None:
    app.play(dripping(app, ENDLESS, pause=0.05))
    one_end(gear, app.url, "item.completed")
    began = time.monotonic()

    said = deliver_due(gear)

    assert said == "1 delivered"
    assert time.monotonic() - began < TOTAL + 5


def test_one_that_hangs_is_left_alone_and_holds_up_nobody(gear: Gear, app: ScriptedServer) -> None:
    with scripted_server() as hanging:
        hanging.play(silence(hanging))
        one_end(gear, hanging.url)
        one_end(gear, app.url, shop="bob")
        began = time.monotonic()

        said = deliver_due(gear)

        assert time.monotonic() - began < TOTAL + 5
        assert len(hanging.requests) == 1
    assert said == "1 retried, 2 delivered"
    assert len(app.requests) == 2
    with gear.database():
        first, second, *_ = rows()
        later = db.session.scalars(select(-age(WebhookDelivery.next_attempt_at))).all()
        db.session.rollback()
    assert (first.attempts, first.error) == (1, "It did not answer in time.")
    assert (second.attempts, second.error) == (0, None)
    assert 0 < later[0] < 10
    assert 50 < later[1] < 70


@ON_SQLITE
def test_a_shop_that_hangs_does_not_hold_up_another_thread(gear: Gear, app: ScriptedServer) -> None:
    with scripted_server() as hanging:
        hanging.play(silence(hanging))
        patient = Courier(gear.settings, phases=httpx.Timeout(20), total=20)
        slow = replace(gear, courier=patient)
        one_end(gear, hanging.url)
        stuck = threading.Thread(target=deliver_due, args=(slow,))
        stuck.start()
        while not hanging.requests:
            assert stuck.is_alive()
            time.sleep(0.01)
        one_end(gear, app.url, shop="bob")

        said = deliver_due(gear)

        assert said == "2 delivered"
        assert len(hanging.requests) == 1
        gear.stopping.set()
        hanging.over.set()
        stuck.join(10)
        patient.close()


@pytest.mark.parametrize("inside", [["127.0.0.1"], ["8.8.8.8", "10.0.0.1"]])
def test_a_name_that_leads_inside_is_not_called(
    sqlite_database: str, redis_url: str, outside: Outside, tmp_path: Path, inside: list[str]
) -> None:
    with (
        scripted_server() as server,
        gear_around(outside, sqlite_database, redis_url, tmp_path) as built,
    ):
        port = server.url.rpartition(":")[2]
        courier = Courier(built.settings, lookup=lambda _host, _port: inside)
        gear = replace(built, courier=courier)
        one_end(gear, f"https://shop.example:{port}/hooks", "item.completed")
        one_end(gear, f"http://127.0.0.1:{port}/hooks", "item.completed", shop="bob")

        said = deliver_due(gear)

        courier.close()
        assert said == "2 retried"
        assert server.requests == []
        with gear.database():
            errors = [each.error for each in rows()]
        assert errors == ["Its host leads into a private network.", "Must be an https URL."]


@ON_SQLITE
def test_nothing_is_begun_once_the_process_is_to_end(gear: Gear, app: ScriptedServer) -> None:
    one_end(gear, app.url)
    gear.stopping.set()

    deliver_due(gear)

    assert app.requests == []
    assert states(gear) == [DeliveryStatus.PENDING, DeliveryStatus.PENDING]


@ON_SQLITE
def test_a_task_passes_on_what_takes_long(gear: Gear, app: ScriptedServer) -> None:
    one_end(gear, app.url)
    before = messages(gear)

    said = deliver_due(gear, patience=0.0)

    assert "passed on" in said
    assert messages(gear) == before + 1


@ON_SQLITE
def test_redis_may_be_away(gear: Gear, app: ScriptedServer) -> None:
    """Only the message is lost, and the count."""
    one_end(gear, app.url, "item.completed")
    gear.redis.config_set("maxmemory", 1)
    try:
        said = deliver_due(gear)
    finally:
        gear.redis.config_set("maxmemory", 0)

    assert said == "1 delivered"
