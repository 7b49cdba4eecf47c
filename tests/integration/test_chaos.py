"""Everything breaks at random for half a minute; then all images get done by themselves."""

import os
from itertools import cycle
from pathlib import Path

import pytest

from models.tables import Status
from tests.chaos import break_everything, fleet, world
from tests.darkroom import Darkroom
from tests.shop import PRICE
from tests.stand_in import StandIn

IMAGES = 60
# The default of `make test`; CHAOS_SEED repeats what another one has shown.
SEED = int(os.environ.get("CHAOS_SEED", "1"))
# What they say while their servers are away.
EXPECTED = ("OperationalError", "AdminShutdown", "redis", "Redis", "broker")


@pytest.mark.lengthy
@pytest.mark.timeout(240)
@pytest.mark.parametrize(
    ("seed", "webhooks"),
    [
        pytest.param(SEED, False, id="seed"),
        *(
            pytest.param(seed, False, id=f"seed-{seed}", marks=pytest.mark.soak)
            for seed in range(101, 111)
        ),
        pytest.param(SEED, True, id="webhooks", marks=pytest.mark.soak),
    ],
)
def test_sixty_images_survive_fifteen_kills(
    stand_in: StandIn, tmp_path: Path, seed: int, webhooks: bool
) -> None:
    print(f"chaos: CHAOS_SEED={seed}")
    stand_in.knobs(create_latency=[0.0, 0.3], process_latency=[0.2, 2.0], seed=seed)
    with world(stand_in, tmp_path, webhooks=webhooks) as broken:
        room = broken.room
        shops = [room.shop(name) for name in ("alice", "bob", "charlie")]
        dora = room.shop("dora")
        processes = fleet(broken)
        turns = cycle(shops)

        break_everything(broken, processes, seed, lambda: room.submit(next(turns), 10))
        assert room.images() == IMAGES
        assert room.count(Status.DONE) < IMAGES
        processes.tend_until(lambda: all_done(room), "all images DONE", patience=90)

        room.check_settled(*EXPECTED)
        assert [room.balance(shop) for shop in shops] == [100_000 - PRICE * IMAGES // 3] * 3
        assert room.balance(dora) == 100_000


def all_done(room: Darkroom) -> bool:
    return room.count(Status.DONE) == IMAGES
