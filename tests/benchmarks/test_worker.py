"""What the benchmark of a worker computes: shares, CPU by layer, and who falls short."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from benchmarks.worker.findings import BARE, POSTGRESQL, SQLITE, Measured, findings
from benchmarks.worker.meter import Meter, by_layer
from benchmarks.worker.names import AROUND, FLOW, HTTP, LOOP, NATIVE, REDIS, coarse
from benchmarks.worker.round import Round
from tests.forks import ROOT
from tests.stand_in import StandIn

MAIN, POOL = 1, 2


class Clock:
    """A thread's CPU clock that goes on by hand."""

    def __init__(self) -> None:
        self.now = 5.0

    def __call__(self) -> float:
        return self.now


def test_each_second_counts_for_the_innermost_layer() -> None:
    clock = Clock()
    meter = Meter(clock)

    def count() -> None:
        clock.now += 2

    def ask() -> str:
        clock.now += 10
        meter.wrap(REDIS, count)()
        clock.now += 20
        return "answer"

    clock.now += 100
    with meter.within(FLOW):
        clock.now += 1
        answer = meter.wrap(HTTP, ask)()
        clock.now += 1
    clock.now += 100

    assert answer == "answer"
    assert meter.sums() == {threading.get_ident(): {FLOW: 2, HTTP: 30, REDIS: 2}}


def test_a_layer_that_fails_is_left() -> None:
    clock = Clock()
    meter = Meter(clock)

    @contextmanager
    def broken() -> Iterator[None]:
        clock.now += 1
        yield
        raise AssertionError("not reached")

    with meter.within(FLOW):
        with pytest.raises(ZeroDivisionError), meter.wrap_context(HTTP, broken)():
            _ = 1 / 0
        clock.now += 5

    assert meter.sums()[threading.get_ident()] == {FLOW: 5, HTTP: 1}


def test_what_no_layer_claims_is_celerys_or_a_librarys() -> None:
    charged = {POOL: {FLOW: 3.0, HTTP: 4.0}, MAIN: {HTTP: 1.0}}

    found = by_layer(20.0, MAIN, {MAIN: 5.0, POOL: 9.0}, charged)

    assert found == {FLOW: 3.0, HTTP: 5.0, LOOP: 4.0, AROUND: 2.0, NATIVE: 6.0}
    assert sum(found.values()) == 20.0
    assert coarse(found)["Celery"] == 6.0


def measured(**seconds: float) -> Measured:
    """Rounds of 100 images that took so long."""
    took = {BARE: 1.0, SQLITE: 2.0, POSTGRESQL: 4.0} | seconds
    rounds = {
        way: [Round(100, each * slow, {"worker": each, "stand-in": 0.5}) for slow in (1, 1, 3)]
        for way, each in took.items()
    }
    return Measured(10, 100, rounds, {SQLITE: {HTTP: 1.5}, POSTGRESQL: {HTTP: 2.5, FLOW: 0.5}})


def test_a_way_that_falls_short_is_said_to() -> None:
    found = findings(measured())

    assert [(target.measured, target.kept) for target in found.targets] == [
        ("50%: 50 of 100 images/s", True),
        ("25%: 25 of 100 images/s", False),
    ]


def test_the_layers_are_shown_with_their_sum() -> None:
    layers = findings(measured()).tables[-1]

    assert [HTTP, 1.5, 2.5] in layers.rows
    assert layers.rows[-1] == ["all of it", 1.5, 3.0]


def test_the_bare_loop_makes_and_downloads_every_image_once(stand_in: StandIn) -> None:
    command = [sys.executable, "-m", "benchmarks.worker.bare", stand_in.url, "2", "5"]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, timeout=60)

    assert json.loads(told.stdout)["seconds"] > 0
    paths = [request["path"] for request in stand_in.requests()]
    assert len(stand_in.creates()) == len({each["id"] for each in stand_in.creates()}) == 5
    assert len({path for path in paths if path.startswith("/output/")}) == 5
