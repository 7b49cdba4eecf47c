"""The parts that Darkroom stands on break, one at a time: no image is lost or made twice."""

import json
import os
import signal
import time
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from models import reports
from models.tables import Status
from sandbox.replicate.knob_schemas import KINDS
from tests.api.clients import ROUTE, order
from tests.darkroom import Darkroom, darkroom
from tests.postgres import Postgres
from tests.service import BOTH, Process, wait_until
from tests.stand_in import StandIn
from tests.tether import free_port
from tests.valkey import Valkey

pytestmark = pytest.mark.lengthy
# What processes say while a server is away.
VALKEY_AWAY = ("redis", "Redis", "broker")
POSTGRES_AWAY = ("OperationalError", "AdminShutdown")
# What they say after a freeze in the middle of a sweep: its transaction was ended, and others had
# waited for its locks.
FROZE = ("IdleInTransactionSessionTimeout", "OperationalError")
# These answer with JSON or a page: a result that comes so is no image, for good.
NO_IMAGE = {
    "before": {"not_json", "not_an_object", "schema_drift", "drip"},
    "after": {"not_json", "not_an_object", "schema_drift"},
}


def test_posts_and_work_outlive_a_valkey_that_comes_back_empty(
    room: Darkroom, valkey_server: Valkey
) -> None:
    room.stand_in.knobs(create_latency=0.5, process_latency=1.0)
    port, alice = free_port(), room.customer("alice")
    room.service.api(port)
    room.service.worker(BOTH)
    room.submit_many(room.shop("bob"), 20)
    wait_until(lambda: room.count(Status.RUNNING) > 5, "some run")

    valkey_server.kill()
    try:
        seconds = [post(port, alice) for _ in range(5)]
    finally:
        valkey_server.start(empty=True)

    assert max(seconds) < 3
    room.hurry(25)
    room.check_settled(*VALKEY_AWAY)


def post(port: int, customer: dict[str, str]) -> float:
    """Order one image through the API; return how long that took, in seconds."""
    began = time.monotonic()
    url = f"http://127.0.0.1:{port}{ROUTE}"
    answer = httpx.post(url, json=order(1), headers=customer, timeout=20, trust_env=False)
    assert answer.status_code == 201, answer.text
    return time.monotonic() - began


def test_connections_cut_in_the_middle_of_transactions_lose_nothing(
    room: Darkroom, postgres_server: Postgres, postgres_database: str
) -> None:
    room.stand_in.knobs(create_latency=[0.0, 0.3], process_latency=[0.0, 1.0])
    room.service.worker(BOTH)
    room.submit_many(room.shop("alice"), 20)
    wait_until(room.stand_in.creates, "the first create")

    cuts = [cut for _ in range(30) if (cut := cut_soon(postgres_server, postgres_database))]

    assert sum(cuts) > 10
    room.hurry(20)
    room.check_settled(*POSTGRES_AWAY)


def cut_soon(server: Postgres, database: str) -> int:
    time.sleep(0.1)
    return server.cut_connections(database)


def test_results_wait_for_a_storage_that_refuses(room: Darkroom, tmp_path: Path) -> None:
    worker = room.service.worker(BOTH)
    shop = room.shop("alice")
    room.submit(shop)
    room.wait_done(1)
    results, away = tmp_path / "results", tmp_path / "away"
    results.rename(away)
    results.write_text("a file in the folder's place")

    room.submit(shop, 2)
    wait_until(lambda: worker.times_said("folder is not there") >= 2, "both were refused")
    assert room.count(Status.RUNNING) == 2
    results.unlink()
    away.rename(results)

    room.wait_done(3)
    room.check_settled()


def test_a_result_that_storage_refused_for_too_long_is_lost_and_refunded(
    room: Darkroom, tmp_path: Path
) -> None:
    worker = room.service.worker(BOTH)
    shop = room.shop("alice")
    room.submit(shop)
    room.wait_done(1)
    (tmp_path / "results").rename(tmp_path / "away")

    job_id = room.submit(shop)
    wait_until(lambda: worker.said("folder is not there"), "it was refused")
    room.stand_in.knobs(retention=0)
    wait_until(lambda: room.job(shop, job_id).finished_at, "it is given up")

    with room.app.app_context():
        (item,) = reports.items(job_id)
    assert (item.status, item.error_code) == (Status.FAILED, "result_lost")
    assert room.balance(shop) == 100_000 - 15
    assert len(room.stand_in.creates()) == 2
    room.check_settled()


@pytest.mark.parametrize("phase", ["before", "after"])
def test_no_fault_of_replicate_costs_an_image_or_makes_one_twice(
    room: Darkroom, phase: str
) -> None:
    faults = [
        {"endpoint": endpoint, "phase": phase, "kind": kind}
        for kind in KINDS
        for endpoint in ("create", "get", "output")
        if endpoint != "output" or kind not in NO_IMAGE[phase]
    ]
    room.stand_in.knobs(faults=faults)
    room.service.worker(BOTH)
    room.submit_many(room.shop("alice"), 20)

    room.hurry(20, patience=90)

    assert {fault["times"] for fault in room.stand_in.knobs()["faults"]} == {0}
    room.check_settled()


def test_a_storm_of_429s_costs_no_attempt_in_any_of_its_forms(room: Darkroom) -> None:
    room.service.worker(BOTH)
    shop, jobs = room.shop("alice"), []

    for form in ("header", "body", "text"):
        throttle = {"count": 3, "window": 2, "form": form, "retry_after": 1}
        room.stand_in.knobs(throttle=throttle)
        before = len(refused(room.stand_in))
        jobs.append(room.submit(shop, 6))
        room.wait_done(6 * len(jobs))
        assert len(refused(room.stand_in)) > before, form

    with room.app.app_context():
        items = [item for job in jobs for item in reports.items(job)]
    assert {item.failed_attempts for item in items} == {0}
    room.check_settled()


def telling(room: Darkroom) -> Darkroom:
    """Its processes tell from now on what became of each message."""
    room.service.environment["LOG_LEVEL"] = "DEBUG"
    return room


def refused(stand_in: StandIn) -> list[int]:
    return [each["number"] for each in stand_in.requests() if each["status"] == 429]


@pytest.mark.parametrize(
    ("point", "says"),
    [
        ("claimed", "waits again: stale_grant"),
        ("answered", "is prediction"),
        ("stored", "was settled by somebody else"),
    ],
)
def test_a_worker_that_froze_until_its_lease_ran_out_changes_nothing(
    room: Darkroom, point: str, says: str
) -> None:
    frozen = telling(room).service.worker(BOTH, failpoint=point, how=signal.SIGSTOP)
    room.submit(room.shop("alice"))
    wait_until(room.service.marker(point).exists, "it froze")
    room.let_a_minute_pass()
    room.service.worker(BOTH)
    room.wait_done(1)

    os.kill(frozen.popen.pid, signal.SIGCONT)
    wait_until(lambda: frozen.said(says), f"it thaws and its image {says}")

    assert len(room.stand_in.creates()) == 1
    room.check_settled(*FROZE)


def test_a_worker_that_froze_cannot_fail_an_image_again(
    postgres_database: str, redis_url: str, stand_in: StandIn, tmp_path: Path
) -> None:
    refund = {"REFUND_FAILED": "true"}
    with darkroom(postgres_database, redis_url, stand_in, tmp_path, **refund) as room:
        room.stand_in.knobs(outcomes=[{"status": "failed", "error": "flagged (E005)"}])
        frozen = telling(room).service.worker(BOTH, failpoint="asked", how=signal.SIGSTOP)
        shop = room.shop("alice")
        job_id = room.submit(shop)
        wait_until(room.service.marker("asked").exists, "it froze")
        room.let_a_minute_pass()
        room.service.worker(BOTH)
        wait_until(lambda: room.job(shop, job_id).finished_at, "another one fails the image")

        os.kill(frozen.popen.pid, signal.SIGCONT)
        wait_until(lambda: frozen.said("failed: content_flagged"), "it thaws and does so, too")

        assert room.job(shop, job_id).failed_images == 1
        assert room.balance(shop) == 100_000
        room.check_settled(*FROZE)


def test_a_worker_that_froze_during_its_create_does_not_make_a_second_one(room: Darkroom) -> None:
    room.stand_in.knobs(create_latency=2.0)
    frozen = telling(room).service.worker(BOTH)
    room.submit(room.shop("alice"))
    wait_until(room.stand_in.creates, "the create was accepted")
    os.kill(frozen.popen.pid, signal.SIGSTOP)
    room.let_a_minute_pass()
    room.service.worker(BOTH)
    room.wait_done(1)

    os.kill(frozen.popen.pid, signal.SIGCONT)
    wait_until(lambda: frozen.said("item 1 "), "it thaws and says what became of its create")

    assert len(room.stand_in.creates()) == 1
    room.check_settled(*FROZE)


@pytest.mark.parametrize(
    "off",
    [pytest.param(120.0, id="ahead"), pytest.param(-120.0, id="behind", marks=pytest.mark.soak)],
)
def test_clocks_two_minutes_off_change_nothing(room: Darkroom, off: float) -> None:
    port, alice = free_port(), room.customer("alice")
    api = room.service.api(port, clock=-off)
    worker, other = room.service.begin(clock=off), room.service.begin(BOTH)
    room.service.ready(worker)
    room.service.ready(other)

    for _ in range(8):
        post(port, alice)
    room.wait_done(8)

    assert [round(seconds_off(each) / 60) for each in (api, worker)] == [-off / 60, off / 60]
    with room.app.app_context():
        moments = [item.created_at for job in range(1, 9) for item in reports.items(job)]
    assert all(abs((moment - datetime.now(UTC)).total_seconds()) < 60 for moment in moments)
    assert len(room.stand_in.creates()) == 8
    room.check_settled()


def seconds_off(process: Process) -> float:
    """How far ahead the clock is that a process logs by."""
    lines = [line for line in process.log.read_text().splitlines() if line.startswith("{")]
    logged = datetime.fromisoformat(json.loads(lines[-1])["timestamp"])
    return logged.timestamp() - process.log.stat().st_mtime
