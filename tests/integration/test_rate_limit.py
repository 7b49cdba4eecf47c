"""One limit for all workers together, seen on Redis's clock and by the stand-in itself."""

from itertools import pairwise
from pathlib import Path

import pytest

from tests.darkroom import Darkroom, darkroom
from tests.grants import most_in_window, overheard_grants
from tests.proof import arrivals
from tests.service import wait_until
from tests.stand_in import StandIn

WINDOW, GRANT_AGE = 3.0, 0.2
# The spacing is kept by the grants; Redis's TIME has microseconds.
TICK = 0.000_001


def run(room: Darkroom, redis_url: str, images: int, flush_at: int | None = None) -> list[float]:
    """Have three workers start so many images; return the moments of the grants."""
    room.service.start(workers=3)
    with overheard_grants(redis_url) as grants:
        room.submit_many(room.shop("alice"), images)
        if flush_at:
            half = 60.0 + 3 * flush_at / room.rate()
            wait_until(lambda: len(room.stand_in.creates()) >= flush_at, "half of them", half)
            room.redis.flushall()
        # A few times what the limit allows it: a busy machine is slow, and nothing is timed here.
        patience = 60.0 + 3 * images / room.rate()
        wait_until(lambda: len(room.stand_in.creates()) >= images, "every image created", patience)
    return grants


@pytest.mark.parametrize(
    ("limit", "spacing", "images", "flush"),
    [
        pytest.param(50, 0.0, 150, False, id="50-per-3s-steady"),
        pytest.param(5, 0.1, 25, True, id="5-per-3s-spaced-flushed"),
        pytest.param(50, 0.0, 200, True, id="50-per-3s-flushed", marks=pytest.mark.soak),
        pytest.param(5, 0.1, 25, False, id="5-per-3s-spaced-steady", marks=pytest.mark.soak),
        pytest.param(50, 0.0, 3000, True, id="50-per-3s-long", marks=pytest.mark.soak),
        pytest.param(5, 0.1, 300, True, id="5-per-3s-spaced-long", marks=pytest.mark.soak),
    ],
)
def test_three_workers_keep_the_limit(
    postgres_database: str,
    redis_url: str,
    stand_in: StandIn,
    tmp_path: Path,
    limit: int,
    spacing: float,
    images: int,
    flush: bool,
) -> None:
    rate = {
        "REPLICATE_RATE_LIMIT": f"{limit}/{WINDOW:g}s",
        "REPLICATE_MIN_SPACING": f"{round(spacing * 1000)}ms",
    }
    with darkroom(postgres_database, redis_url, stand_in, tmp_path, **rate) as room:
        grants = run(room, redis_url, images, flush_at=images // 2 if flush else None)

        creates = arrivals(stand_in.requests())
        assert len(creates) == images <= len(grants)
        assert most_in_window(grants, WINDOW) <= limit
        assert most_in_window(creates, WINDOW - GRANT_AGE) <= limit
        assert all(later - sooner >= spacing - TICK for sooner, later in pairwise(grants))


def test_one_image_overtakes_two_hundred_of_another_shop(
    postgres_database: str, redis_url: str, stand_in: StandIn, tmp_path: Path
) -> None:
    rate = {"REPLICATE_RATE_LIMIT": "5/1s", "REPLICATE_MIN_SPACING": "100ms"}
    with darkroom(postgres_database, redis_url, stand_in, tmp_path, **rate) as room:
        alice, bob = room.shop("alice"), room.shop("bob")
        room.submit_many(alice, 200)
        room.service.start()
        wait_until(lambda: len(stand_in.creates()) >= 5, "five of Alice's images")

        before = len(stand_in.creates())
        room.submit(bob)
        wait_until(lambda: bobs_place(stand_in, bob), "Bob's image")

        # One of Alice's may be on its way to the stand-in while `before` is counted.
        assert bobs_place(stand_in, bob) <= before + 1 + 3


def bobs_place(stand_in: StandIn, bob: int) -> int:
    """The place of Bob's image among all creates, from 1; 0 while it has none."""
    urls = [str(each["input"]["image_input"]) for each in stand_in.creates()]
    return next((place for place, url in enumerate(urls, 1) if f"cup-{bob}" in url), 0)
