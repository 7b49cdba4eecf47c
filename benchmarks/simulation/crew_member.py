"""One process of a crew: `python -m benchmarks.simulation.crew_member`.

It is told a task in a line of JSON and says `ready`; after one more line it works for so many
seconds, and says how many images that were. Then it waits for the next task.
"""

import json
import sys
import time

from benchmarks.simulation.lives import WORK
from models import following
from tests.databases import bound


def carry_out(url: str, what: str, seconds: float, shop: int) -> None:
    """Work on that database, for that shop if it is to order."""
    with bound(url) as app, app.app_context():
        following.due_items()  # connects
        print("ready", flush=True)
        sys.stdin.readline()
        began, images, number = time.monotonic(), 0, 0
        while time.monotonic() - began < seconds:
            images += WORK[what](shop, number)
            number += 1
        print(json.dumps({"images": images, "seconds": time.monotonic() - began}), flush=True)
        sys.stdin.readline()  # so long the connection is there, with what the server did for it


if __name__ == "__main__":
    for line in sys.stdin:
        carry_out(**json.loads(line))
