"""How the machines are run: the same examples in every `make test`, other ones in `make soak`."""

import secrets

import pytest
from flask import Flask
from hypothesis import seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.properties.machine import Machine

SHORT = settings(derandomize=True, database=None, deadline=None, report_multiple_bugs=False)
LONG = settings(SHORT, derandomize=False)

# A failing example is made smaller for up to five minutes before it is shown: the time-out of a
# test must not come first.
long_too = pytest.mark.parametrize(
    "long",
    [
        pytest.param(False, marks=pytest.mark.timeout(600), id="short"),
        pytest.param(True, marks=[pytest.mark.soak, pytest.mark.timeout(3000)], id="long"),
    ],
)


def run(machine: type[Machine], app: Flask, examples: int, steps: int) -> None:
    """Run a machine on the app's database with the same examples each time."""
    chosen = settings(SHORT, max_examples=examples, stateful_step_count=steps)
    run_state_machine_as_test(_bound(machine, app), settings=chosen)


def run_long(machine: type[Machine], app: Flask, examples: int, steps: int) -> None:
    """Run it with other examples each time; the seed that is printed brings them back."""
    number = secrets.randbits(32)
    print(f"hypothesis seed: {number}")
    chosen = settings(LONG, max_examples=examples, stateful_step_count=steps)
    run_state_machine_as_test(seed(number)(_bound(machine, app)), settings=chosen)


def _bound(machine: type[Machine], app: Flask) -> type[Machine]:
    return type(machine.__name__, (machine,), {"app": app})
