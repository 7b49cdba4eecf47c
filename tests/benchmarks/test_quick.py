"""Every benchmark runs, with tiny counts."""

import importlib

import pytest

from benchmarks.__main__ import NAMES
from benchmarks.section import Findings


@pytest.mark.soak
@pytest.mark.parametrize("name", NAMES)
def test_a_quick_run_finds_something(name: str) -> None:
    findings: Findings = importlib.import_module(f"benchmarks.{name}").run(quick=True)

    assert findings.targets
    assert findings.tables
