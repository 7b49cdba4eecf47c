"""Webhooks through real processes: duplicated, late, early, lost, badly signed."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.darkroom import Darkroom, darkroom
from tests.service import Process
from tests.stand_in import StandIn
from tests.tether import free_port


@contextmanager
def hearing(
    database_url: str, redis_url: str, stand_in: StandIn, folder: Path, sweep: str
) -> Iterator[tuple[Darkroom, Process]]:
    """A Darkroom that Replicate can call, and its API; the secret is asked for at the start."""
    port = free_port()
    settings = {"PUBLIC_BASE_URL": f"http://127.0.0.1:{port}", "SWEEP_INTERVAL": sweep}
    with darkroom(database_url, redis_url, stand_in, folder, **settings) as room:
        api = room.service.api(port)
        room.service.start()
        yield room, api
        room.check()


def test_webhooks_in_any_order_finish_every_image_once(
    database_url: str, redis_url: str, stand_in: StandIn, tmp_path: Path
) -> None:
    stand_in.knobs(
        process_latency=[0.0, 1.0],
        create_latency=[0.0, 0.5],
        webhooks={"duplicate": 2, "late": [0.0, 0.5], "early": 0.5, "out_of_order": 0.5},
    )

    with hearing(database_url, redis_url, stand_in, tmp_path, sweep="30s") as (room, api):
        room.submit_many(room.shop("alice"), 20)
        room.wait_done(20)

        assert api.times_said("/api/webhooks/replicate/<reference:reference>") >= 20
    assert len(stand_in.creates()) == 20


@pytest.mark.parametrize("loss", [{"lost": 1.0}, {"bad_signature": 1.0, "pauses": []}])
def test_a_webhook_that_is_lost_or_refused_costs_a_sweep(
    postgres_database: str,
    redis_url: str,
    stand_in: StandIn,
    tmp_path: Path,
    loss: dict[str, object],
) -> None:
    stand_in.knobs(webhooks=loss)

    with hearing(postgres_database, redis_url, stand_in, tmp_path, sweep="1s") as (room, api):
        room.submit_many(room.shop("alice"), 10)
        room.wait_done(10)

        taken = api.times_said('"status": 204')
        assert taken == 0
    assert len(stand_in.creates()) == 10


def test_an_answer_that_got_lost_is_found_by_its_webhook(
    postgres_database: str, redis_url: str, stand_in: StandIn, tmp_path: Path
) -> None:
    stand_in.knobs(faults=[{"endpoint": "create", "phase": "after", "kind": "reset", "times": 4}])

    with hearing(postgres_database, redis_url, stand_in, tmp_path, sweep="30s") as (room, _api):
        room.submit(room.shop("alice"), images=4)
        room.wait_done(4)
    assert len(stand_in.creates()) == 4
