"""What the latencies are computed from, and how they are judged."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.latency.life import AFTER, Life, parts
from benchmarks.latency.lines import CREATED, DONE, received
from benchmarks.latency.measuring import Measured
from benchmarks.latency.report import findings, targets

# 40 ms from POST to create, 60 ms from the prediction's end to DONE.
QUICK = Life(
    posted=100.0, written=100.01, woken=100.02, claimed=100.03, created=100.04, ended=101.0,
    heard=101.02, asked=101.03, fetched=101.04, closed=101.05, done=101.06, checks=1,
)  # fmt: skip
START, WEBHOOK, POLLING = range(3)


def later(seconds: float) -> Life:
    """An image whose DONE took so much longer."""
    return replace(QUICK, done=QUICK.done + seconds)


def log(folder: Path, *events: tuple[str, str]) -> Path:
    """A worker's log: what was said at which second, after Celery's own greeting."""
    lines = [
        json.dumps({"event": event, "timestamp": f"2024-05-01T10:00:{second}Z"})
        for second, event in events
    ]
    file = folder / "worker.log"
    file.write_text("\n".join([" -------------- celery@here v5.6.3", *lines]))
    return file


def test_the_message_that_counts_is_the_one_of_the_task_that_did_it(tmp_path: Path) -> None:
    file = log(
        tmp_path,
        ("01.000000", "Task optimize-next-image[a-1] received"),
        ("02.000000", "Task optimize-next-image[b-2] received"),
        ("03.000000", "Task optimize-next-image[a-1] succeeded in 0.5s: 'nothing is due'"),
        ("04.000000", "Task optimize-next-image[b-2] succeeded in 0.5s: 'item 7 is prediction x'"),
        ("05.000000", "Task heed-webhook[c-3] received"),
        ("06.250000", "Task heed-webhook[d-4] received"),
        ("07.000000", "Task heed-webhook[d-4] succeeded in 0.1s: 'prediction x item 7 is done'"),
    )

    assert list(received(file, CREATED)) == [7]
    assert received(file, DONE)[7] - received(file, CREATED)[7] == pytest.approx(4.25)


def test_the_parts_of_a_way_add_up_to_it() -> None:
    assert sum(parts([QUICK], AFTER).values()) == pytest.approx(QUICK.finish)


def test_what_one_image_in_twenty_waits_for_is_not_held_against_it() -> None:
    slow = [QUICK] * 96 + [later(5.0)] * 4

    assert all(each.kept for each in targets(Measured(slow, slow, slow)))


def test_a_slow_tenth_breaks_each_promise() -> None:
    slow = [QUICK] * 90 + [replace(later(5.0), created=QUICK.created + 5.0)] * 10

    assert not any(each.kept for each in targets(Measured(slow, slow, slow)))


def test_a_stream_that_is_slower_than_images_alone_counts() -> None:
    found = targets(Measured([QUICK], [later(0.05)], [QUICK]))

    assert [each.kept for each in found] == [True, False, True]


def test_a_poll_may_take_its_pause_but_not_more() -> None:
    just, over = (Measured([QUICK], [QUICK], [later(each)]) for each in (2.03, 2.05))

    assert targets(just)[POLLING].kept
    assert not targets(over)[POLLING].kept


def test_the_findings_have_a_curve_for_each_way() -> None:
    found = findings(Measured([QUICK], [QUICK], [QUICK]))

    assert [len(plot.series) for plot in found.plots] == [3, 1]
