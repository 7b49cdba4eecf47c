"""The processes of docker-compose.yml on this machine, with the image's libraries alone."""

import os
import re
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

from tests.compose import ROOT

PINNED = re.compile(r"^([A-Za-z0-9._-]+)==", re.MULTILINE)


def environment(**settings: str) -> dict[str, str]:
    """What a container's process is started with here, besides these settings."""
    folder = Path(__file__).parent
    hidden = ",".join(not_in_image((ROOT / "requirements.txt").read_text()))
    return os.environ | {"PYTHONPATH": str(folder), "NOT_IN_THE_IMAGE": hidden} | settings


@cache
def not_in_image(requirements: str) -> list[str]:
    """The top-level packages that are installed here, but are none of the `requirements`."""
    kept = {_normal(name) for name in PINNED.findall(requirements)}
    return sorted(
        package
        for package, distributions in packages_distributions().items()
        if not kept & {_normal(name) for name in distributions}
    )


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
