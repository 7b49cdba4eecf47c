"""What docker-compose.yml says, with its variables' defaults filled in."""

import re
import shlex
from pathlib import Path
from typing import Any, cast

from ruamel.yaml import YAML

ROOT = Path(__file__).parent.parent
SERVICES = ("api", "worker", "housekeeper", "beat", "flower", "migrate")


def services() -> dict[str, dict[str, Any]]:
    """Every service by name, anchors resolved."""
    text = (ROOT / "docker-compose.yml").read_text()
    filled = re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", text)
    return cast("dict[str, dict[str, Any]]", YAML(typ="safe").load(filled)["services"])


def command(service: str) -> list[str]:
    """The words that a service's container runs."""
    return shlex.split(services()[service]["command"])
