"""Machines that make every move in any order, and the plain Python that says what is true then."""

import pytest

# So that a failing assertion shows both sides also where it stands in a part of a machine.
PARTS = ("followers", "machine", "outside", "rows", "shops", "sweeps", "wishes", "workers")
pytest.register_assert_rewrite(*(f"{__name__}.{part}" for part in PARTS))
