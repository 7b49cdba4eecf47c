"""Machines that make every move in any order, and the plain Python that says what is true then."""

import pytest

# So that a failing assertion of the machines' parts shows both sides.
pytest.register_assert_rewrite(
    *(f"tests.properties.{name}" for name in ("machine", "outside", "rows", "shops", "workers"))
)
pytest.register_assert_rewrite("tests.properties.followers", "tests.properties.sweeps")
