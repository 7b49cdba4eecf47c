"""Python looks for a module of this name when it starts: hide what `NOT_IN_THE_IMAGE` lists.

Libraries import what they happen to find (replicate takes numpy, SQLAlchemy greenlet, limits
valkey), and what only tests and benchmarks need is not found in the container's image.
"""

import os
import sys
from importlib.abc import MetaPathFinder
from typing import Never


class Hider(MetaPathFinder):
    """Finds nothing of what is hidden, and leaves the rest to the others."""

    def __init__(self, names: set[str]) -> None:
        self._names = names

    def find_spec(self, name: str, *_: object) -> None:
        """Refuse the hidden ones."""
        if name.partition(".")[0] in self._names:
            _refuse(name)


def _refuse(name: str) -> Never:
    raise ModuleNotFoundError(f"No module named {name!r}", name=name)


sys.meta_path.insert(0, Hider(set(os.environ.get("NOT_IN_THE_IMAGE", "").split(","))))
