"""Many processes and threads at one limiter never send too much, whatever happens to Redis."""

import itertools
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis

from tests.limiter_load import Change, Load, change, read, start
from tests.valkey import Valkey

PROCESSES = 4


@pytest.fixture
def valkey() -> Iterator[Valkey]:
    """A server of its own: these tests end it."""
    server = Valkey().start()
    yield server
    server.close()


@pytest.mark.parametrize("numbers", [(50, 3.0, 0.0, 6.3), (5, 3.0, 0.1, 4.0)])
def test_no_window_holds_too_much(
    valkey: Valkey, tmp_path: Path, numbers: tuple[int, float, float, float]
) -> None:
    count, window, spacing, seconds = numbers
    load = Load(valkey.url, str(tmp_path), count, window, spacing, seconds)

    _run(load, [])

    grants = read(tmp_path, "grants")
    assert len(grants) > count
    assert _most_in_a_window(grants, window) <= count
    assert _least_distance(grants) >= spacing
    assert _most_in_a_window(read(tmp_path, "sends"), window) <= count


def test_no_window_holds_too_much_when_redis_forgets(valkey: Valkey, tmp_path: Path) -> None:
    load = Load(valkey.url, str(tmp_path), count=10, window=1.0, spacing=0.02, seconds=3.5)

    _run(load, [(0.8, lambda: _flush(valkey)), (0.4, lambda: _flush(valkey))] * 2)

    _assert_sent_but_not_too_much(tmp_path, load)


def test_no_window_holds_too_much_when_redis_dies(valkey: Valkey, tmp_path: Path) -> None:
    load = Load(valkey.url, str(tmp_path), count=10, window=1.0, spacing=0.02, seconds=3.5)

    def replace() -> None:
        valkey.kill()
        valkey.start(empty=True)

    _run(load, [(0.9, replace), (1.3, replace)])

    _assert_sent_but_not_too_much(tmp_path, load)


def test_no_window_holds_too_much_when_the_limit_is_changed(valkey: Valkey, tmp_path: Path) -> None:
    """Lowered and raised under load, with the memory lost while both limits bind."""
    load = Load(valkey.url, str(tmp_path), count=12, window=1.0, spacing=0.0, seconds=5.0)
    changes = [Change(12, 1.0, 0.0)]

    _run(
        load,
        [
            (0.9, lambda: change(tmp_path, changes, 4, 1.0)),
            (0.3, lambda: _flush(valkey)),
            (1.1, lambda: change(tmp_path, changes, 20, 1.2)),
            (0.2, lambda: _flush(valkey)),
        ],
    )

    sends = read(tmp_path, "sends")
    assert len([each for each in sends if each > changes[2].at + 1.0]) > 12
    assert _too_much(sends, changes) == []


def _too_much(sends: list[float], changes: list[Change]) -> list[tuple[Change, float, int]]:
    """The sends with which a limit was exceeded that bound them: from shortly after it was written
    down (who has a grant then may still send) until one of its windows after it was replaced."""
    ends = [later.at + each.window for each, later in itertools.pairwise(changes)]
    return [
        (limit, sent, held)
        for limit, end in zip(changes, [*ends, float("inf")], strict=True)
        for sent in sends
        if limit.at + 0.8 < sent < end
        and (held := sum(sent - limit.window < each <= sent for each in sends)) > limit.count
    ]


def test_the_checks_above_can_fail() -> None:
    times = [0.0, 1.0, 1.5, 2.9, 3.5]
    lowered, raised = [Change(3, 2.0, -9), Change(1, 1, 2)], [Change(1, 1, -9), Change(3, 1, 1.2)]

    assert _most_in_a_window(times, 2.0) == 3
    assert _least_distance(times) == 0.5
    assert [sent for _limit, sent, _held in _too_much(times, lowered)] == [3.5]
    assert [sent for _limit, sent, _held in _too_much(times, raised)] == [1.5]


def _run(load: Load, blows: list[tuple[float, Callable[[], None]]]) -> None:
    """Run the load; from the first send on, each blow so many seconds after the one before."""
    processes = start(load, PROCESSES)
    deadline = time.monotonic() + 30
    while not read(Path(load.folder), "sends") and time.monotonic() < deadline:
        time.sleep(0.02)
    for delay, blow in blows:
        time.sleep(delay)
        blow()
    assert [process.wait(load.seconds + 30) for process in processes] == [0] * PROCESSES


def _flush(valkey: Valkey) -> None:
    with redis.Redis.from_url(valkey.url, socket_timeout=5) as client:
        client.flushall()


def _assert_sent_but_not_too_much(folder: Path, load: Load) -> None:
    """Grants of before the loss that were never sent need not be counted; sends have to be."""
    sends = read(folder, "sends")
    assert len(sends) > load.count
    assert _most_in_a_window(sends, load.window) <= load.count


def _most_in_a_window(times: list[float], window: float) -> int:
    """Return how many of the ordered times the fullest window, open at its end, holds."""
    return max(
        sum(first <= other < first + window for other in times[place:])
        for place, first in enumerate(times)
    )


def _least_distance(times: list[float]) -> float:
    return min(later - earlier for earlier, later in itertools.pairwise(times))
