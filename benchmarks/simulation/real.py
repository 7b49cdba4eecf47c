"""The real run: three workers, a housekeeper and a scheduler on real servers, and their price.

Everything waits behind an operator's pause. When it ends, the limit alone decides.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.simulation import lookback
from benchmarks.simulation.diary import Diary
from benchmarks.simulation.meter import Reading, processor_time, redis_calls, sql_counts
from benchmarks.simulation.scenario import CREATE, PREDICT, SERVICE, WORKERS, Backlog
from benchmarks.simulation.stage import Stage
from benchmarks.simulation.world import Client, Order
from models import accounts, caps, controls, ledger
from models.tables import Status
from tests.darkroom import Darkroom, darkroom
from tests.service import wait_until

PATIENCE = 120.0


@dataclass(frozen=True)
class Run:
    """What was ordered and what became of it, in seconds since the first claim, and its price."""

    clients: list[Client]
    orders: list[Order]
    diary: Diary
    used: Reading
    seconds: float

    @property
    def images(self) -> int:
        """How many images there were."""
        return len(self.diary.claims)


def real_run(stage: Stage, backlogs: Sequence[Backlog]) -> Run:
    """Play the scenario with real processes."""
    stage.stand_in.knobs(
        create_latency=list(CREATE), process_latency=list(PREDICT), canned_result=True
    )
    folder = stage.folder / "real"
    folder.mkdir()
    settings = {
        "REPLICATE_RATE_LIMIT": str(SERVICE.limit),
        "POLL_INTERVAL": f"{SERVICE.poll_interval * 1000:.0f}ms",
        "SWEEP_INTERVAL": f"{SERVICE.sweep_interval:g}s",
    }
    url = stage.start_over()
    with darkroom(url, stage.valkey.url, stage.stand_in, folder, **settings) as room:
        clients = [_open(room, number, each) for number, each in enumerate(backlogs)]
        _pause(room)
        for client, backlog in zip(clients, backlogs, strict=True):
            if not backlog.at:
                room.submit_many(client.id, backlog.images)
        room.service.start(workers=WORKERS, concurrency=SERVICE.threads)
        before = _read(room, stage, url)
        began = time.monotonic()
        _resume(room)
        _order_later(room, clients, backlogs, began)
        images = sum(backlog.images for backlog in backlogs)
        # Each look is a query more: few of them.
        wait_until(lambda: room.count(Status.DONE) == images, "every image", PATIENCE, every=1.0)
        seconds = time.monotonic() - began
        used = _read(room, stage, url, stop=True).since(before)
        with room.app.app_context():
            orders, diary = lookback.orders(), lookback.diary()
    return Run(clients, orders, diary, used, seconds)


def _open(room: Darkroom, number: int, backlog: Backlog) -> Client:
    with room.app.app_context():
        instance, _token = accounts.create(f"shop-{number}", backlog.plan)
        ledger.grant(instance.id, 100_000, f"benchmark:{number}")
        if backlog.cap is not None:
            caps.set_caps(instance.name, backlog.cap, None)
    return Client(instance.id, backlog.plan, backlog.images, backlog.cap)


def _pause(room: Darkroom) -> None:
    with room.app.app_context():
        controls.pause("the shops order first", "benchmark")


def _resume(room: Darkroom) -> None:
    with room.app.app_context():
        controls.resume("benchmark")
    room.waker.announce()


def _order_later(
    room: Darkroom, clients: Sequence[Client], backlogs: Sequence[Backlog], began: float
) -> None:
    for client, backlog in zip(clients, backlogs, strict=True):
        if backlog.at:
            time.sleep(max(0.0, began + backlog.at - time.monotonic()))
            room.submit(client.id, backlog.images)


def _read(room: Darkroom, stage: Stage, url: str, stop: bool = False) -> Reading:
    """PostgreSQL tells what a connection did only some time later, or when that one is closed."""
    processes = {each.name: each.popen.pid for each in room.service.processes}
    servers = {"PostgreSQL": stage.postgres.process, "Valkey": stage.valkey.process}
    pids = processes | {name: process.pid for name, process in servers.items() if process}
    processor, calls = processor_time(pids), redis_calls(room.redis)
    if stop:
        for process in room.service.processes:
            process.stop()
    return Reading(processor, calls, sql_counts(url))
