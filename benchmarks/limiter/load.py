"""One process of many that send as fast as their limiter lets them:
`python -m benchmarks.limiter.load JSON`.
"""

import importlib
import json
import sys
from dataclasses import dataclass

from benchmarks.limiter.receiver import Sender


@dataclass(frozen=True)
class Load:
    """What one process does: `way` is the module that knows the limiter, `url` its Redis, `port`
    the receiver's. `drops_at`: the grant with which it dies instead of sending, from 1."""

    way: str
    url: str
    port: int
    count: int
    window: float
    spacing: float
    drops_at: int = 0


if __name__ == "__main__":
    _load = Load(**json.loads(sys.argv[1]))
    _serve = importlib.import_module(f"benchmarks.limiter.ways.{_load.way}").prepare(_load)
    _starter = Sender(_load.port)
    _starter.say_ready()
    _starter.wait_for_start()
    _serve()
